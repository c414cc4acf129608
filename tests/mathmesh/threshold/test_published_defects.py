"""Errors in the published examples, reproduced, so that nobody "corrects" us towards them.

Values: examples of draft-hallambaker-threshold §6 and draft-hallambaker-threshold-sigs, in an earlier print
than that of the vector files. Each test shows both what is printed and what is right.
"""

import os
from pathlib import Path
from types import ModuleType

import pytest

from mathmesh.codec import b64
from mathmesh.errors import VerificationError
from mathmesh.keys import algorithms, edwards, montgomery
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.point import Point, combine

CHECKOUT = Path(__file__).resolve().parents[3]

SPLITS = {
    "X25519": {
        "key": 36212799908425711450656372795692477094724455418915704216848228525958587810064,
        "share": 32951726132685026729149224926255648061071804906258082061427666995947179849152,
        "printed other share": 4031475845120378254046918654561176988082213090754617824258337077336679400315,
        "ephemeral": 41955577142906312619127105554814681129195921605852142704362465226652441661496,
        "agreement": 24735175138889480342644265086752492408614475919483465883032610526622202018180,
        "ladder": (
            57800249527850149046770413207257250301842844049677844025524059085132359257003,
            37229326806761131733056994095424883574786241198535734197174081138402379671391,
            30722194817314627970562030033494699359853137448471883846088158083361967945513,
            29143359268139878301695995826542801325089258636824690596939399658126254126746,
        ),
        "first": (
            26252004436924590849672630346501225836719120282448901501615216776458728744244,
            23403392496099289678702686304896871239416248574944871213406041948857707717709,
        ),
        "printed second": (
            25681807750768643008939672211197487679310559285918558512272983019789028635830,
            52376245356417565100774234298065960285268351486530966017774030988054910628425,
        ),
        "printed sum": (
            53638091939023843532448425374574271509377559762011846300201437672880976727749,
            25762387779482158521025954468700106943716042880666532610246614075543602367190,
        ),
        "printed encoding": "28e55e1ddd1d937124530a83b3680d288f37ac53b665977ec15444418c164916",
    },
    "X448": {
        "key": int(
            "7059678912382948073348573038617456533901318564736302867772776210579390997850912283532485224084"
            "50794128800398810019569879502484967206280"
        ),
        "share": int(
            "6306626567266842334329143814784005717203533793637347335943007584637325219763883132946654472538"
            "81782852832499090049354258188417511652528"
        ),
        "printed other share": int(
            "6466278044766698230645502153613828999161285463455841487897053095564959403070244163454368262048"
            "5945238460841936427288004274611461310355"
        ),
        "ephemeral": int(
            "4083150288777284090110671527046800932811670134022891944479507427495570887894086773114660893368"
            "93170031425082958041776608657845012501716"
        ),
        "agreement": int(
            "4145198419291593827306369190368753177961780340119992132359835370523051067870241524244119310787"
            "67471781837755233750631283588936679550233"
        ),
        "ladder": (
            int(
                "60087238657789265874539701675840521614326868580285788286550399232202770811324688008786532282"
                "0085919620753848185209702446811828858483595"
            ),
            int(
                "12573140552649037921890899942919440571502561130496393232716617155244906608055765178813395170"
                "0597009878477147212706681069479775840967645"
            ),
            int(
                "40216911160845555507626938485596306260547743077930604703891475599532072380521528728318037343"
                "9738964352905750714947142945295511147157394"
            ),
            int(
                "48671808823760924633626118221453591105199403417491562559814414359340793362654306859745046556"
                "9884659930973430555454657130674077038979747"
            ),
        ),
        "first": (
            int(
                "53106270849562261335494803790124391495846381711471874264422356292600418647499181183061146792"
                "6523417739685244466041108245014409383321437"
            ),
            int(
                "64803849519846106548651324906062943559622281296957012203166811671738963455446043723779520423"
                "668998535402850812481731449606392177083381"
            ),
        ),
        "printed second": (
            int(
                "24320293076060118546519506421270645348584154412400324608171286436910260149576460762821487165"
                "7677482439232238254450281582409532827123057"
            ),
            int(
                "33042374959090491359991827373142993244544264621989353179551363172824016719389815403357103304"
                "8069157608137872491595181800632292085611537"
            ),
        ),
        "printed sum": (
            int(
                "22597763365733517120903236840062879793781422316754518552631363516318462701968283423360745682"
                "3018602790573389381890060345691088913511436"
            ),
            int(
                "33568044654349157389907732524964511681977594137184565197511397529202278833914314314040033984"
                "3420207702195408750068698590142923542805226"
            ),
        ),
        "printed encoding": ("eb34d39e923e82cce6ec779f3d11833cb65b5c04e81fd6e107c062fef8f634bb"),
    },
}

# Shares of alice and bob, nonces, and what is printed for them.
UNANIMOUS = {
    "Ed25519": {
        "shares": (
            31219130380639437694769688896227611542048535900134467943432016761653342335248,
            56721284389150941480030862015889172068550899562072140666211075925337851277632,
        ),
        "nonces": (
            6637904698074334328363513540410334161086779296599593776466163311541540981280,
            2213419939614917767167319008628516107842320847987096214148325987001215129167,
        ),
        "k": 6418422607519439231693382438066336094413189546546620396867017037953067535060,
        "answers": (
            2966808436859838584428976604897999731004003838315906906376660795131944015788,
            3313333854059379823852473062342329030174776415744012312433809190518826699327,
        ),
        "S": 6280142290919218408281449667240328761178780254059919218810469985650770715115,
    },
    "Ed448": {
        "shares": (
            int(
                "672286477331130983513039743350616227864346753924962787860729757222511999618443513569403793"
                "186398096717924945854846544396984088344823264"
            ),
            int(
                "455052626698262385397736547727159423941520792904908612603542850909167215987713902322619933"
                "929404455741806848064294945283113799683261212"
            ),
        ),
        "nonces": (
            int(
                "172942464551759295242754811965351151884292029003724233004814801326614023894497952766749736"
                "840946614693309315260710812447659196342627895"
            ),
            int(
                "104914357222333081356621050934899459853478212647235018196474220665289293162996202207688564"
                "678480245427785100356361530595386314238640221"
            ),
        ),
        "k": int(
            "4414951308861777029789605636570980257745158128627517556988495188186414185619583310254488659658"
            "1582477370324055580033554478279643617238"
        ),
        "answers": (
            int(
                "842571056862573090667004351233575944380723302897090136184181961246864455242516039498785024"
                "83634989200781449049278755072394566746830451"
            ),
            int(
                "572532690318401427573540585966826199150913571998153353645617868579242342282413296110847995"
                "4788017252972816264938065005340475743868015"
            ),
        ),
        "S": int(
            "8998243258944132334243584098302585642958146600969054715487437481047886894707573691098698243842"
            "3006453754265314216820077735042490698466"
        ),
    },
}
PRINTED_SB_OF_ED448 = (
    42689990146380880383849468013763305984698533600722540613412803307402571445353,
    19884852414975413882622923327636056498222174366992805812356116956538732901759,
)


@pytest.fixture
def draft(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CHECKOUT))
    from tests.conformance import threshold_draft

    return threshold_draft


@pytest.mark.parametrize("crv", list(SPLITS))
def test_the_other_share_is_printed_with_the_wrong_sign(crv: str) -> None:
    case, order = SPLITS[crv], algorithms.curve(crv).order
    assert case["printed other share"] == (case["key"] + case["share"]) % order
    other, _ = split.direct_with(PrivateKey.from_scalar(crv, case["key"]), [case["share"]])
    assert other.scalar == (case["key"] - case["share"]) % order


@pytest.mark.parametrize("crv", list(SPLITS))
def test_first_result_is_right_and_second_sum_and_encodings_are_not(crv: str, draft: ModuleType) -> None:
    case = SPLITS[crv]
    key, ephemeral = (PrivateKey.from_scalar(crv, case[name]) for name in ("key", "ephemeral"))
    peer = Point.decode(crv, ephemeral.signed_public)
    shares = split.direct_with(key, [case["share"]])[::-1]
    results = [ShareAgreement(share).partial(peer) for share in shares]
    assert draft.ladder(crv, case["share"], peer.first) == case["ladder"]
    assert (results[0].first, results[0].second) == case["first"]
    printed = ShareAgreement(PrivateKey.from_scalar(crv, case["printed other share"])).partial(peer)
    assert (printed.first, printed.second) == case["printed second"]
    double = combine([peer, peer])
    assert (double.first, double.second) == case["printed sum"]
    total = combine(results)
    assert total.first == case["agreement"]
    assert total.agreement == key.agree(PublicKey(crv, ephemeral.signed_public))
    assert peer.octets.hex().startswith(case["printed encoding"])
    assert not any(result.octets.hex().startswith(case["printed encoding"]) for result in results)


def test_ed25519_challenges_are_those_of_another_scheme(draft: ModuleType) -> None:
    case = UNANIMOUS["Ed25519"]
    public = edwards.base_point("Ed25519", sum(case["shares"]))
    arguments = ("Ed25519", public, b"This is a test", case["nonces"], case["shares"])
    printed = draft.sign(*arguments, dom=draft.DOM2_EMPTY_CONTEXT)
    assert printed.challenge == str(case["k"])
    assert printed.answers == [str(value) for value in case["answers"]]
    assert printed.answer == str(case["S"])
    key = PublicKey("Ed25519", public)
    with pytest.raises(VerificationError):
        key.verify(bytes.fromhex(printed.signature), b"This is a test")
    key.verify(bytes.fromhex(draft.sign(*arguments).signature), b"This is a test")


def test_ed448_signature_is_right_and_its_check_is_on_another_curve(draft: ModuleType) -> None:
    case = UNANIMOUS["Ed448"]
    public = edwards.base_point("Ed448", sum(case["shares"]))
    made = draft.sign("Ed448", public, b"This is a test", case["nonces"], case["shares"])
    assert made.challenge == str(case["k"])
    assert made.answers == [str(value) for value in case["answers"]]
    PublicKey("Ed448", public).verify(bytes.fromhex(made.signature), b"This is a test")
    printed = edwards.base_point("Ed25519", case["S"] % 2**256)
    assert edwards.coordinates("Ed25519", printed) == PRINTED_SB_OF_ED448


def test_signed_x25519_points_have_33_octets_and_not_57() -> None:
    point = Point.decode("X25519", generate("X25519", os.urandom).signed_public)
    assert len(point.octets) == 33


@pytest.mark.parametrize("crv", ["Ed25519", "Ed448"])
def test_a_composite_key_never_signs_with_an_empty_prefix(crv: str) -> None:
    key, message = PrivateKey.from_scalar(crv, generate(crv, os.urandom).scalar), b"message"
    order, size = algorithms.curve(crv).order, algorithms.curve(crv).public_size
    dom = edwards.DOM4 if crv == "Ed448" else b""

    def leaked(signature: bytes) -> int:
        """The private scalar, if the nonce was a hash of the message alone."""
        r = int.from_bytes(edwards.digest(crv, dom, message), "little")
        digest = edwards.digest(crv, dom, signature[:size], key.public.octets, message)
        answer = int.from_bytes(signature[size:], "little")
        return (answer - r) * pow(int.from_bytes(digest, "little"), -1, order) % order

    first, second = (key.sign(message, os.urandom) for _ in range(2))
    assert first != second
    assert key.scalar not in (leaked(first), leaked(second))
    r = int.from_bytes(edwards.digest(crv, dom, message), "little") % order
    commitment = edwards.base_point(crv, r)
    digest = edwards.digest(crv, dom, commitment, key.public.octets, message)
    answer = (r + int.from_bytes(digest, "little") * key.scalar) % order
    broken = commitment + answer.to_bytes(size, "little")
    key.public.verify(broken, message)
    assert leaked(broken) == key.scalar


@pytest.mark.parametrize("crv", ["X25519", "X448"])
def test_a_composite_key_without_z_would_be_another_key(crv: str) -> None:
    key = PrivateKey.from_scalar(crv, generate(crv, os.urandom).scalar)
    written = key.to_json()["PrivateKeyECDH"]
    assert written["crv"] == crv + "z"
    assert PrivateKey.from_json({"PrivateKeyECDH": written}).public == key.public
    misread = PrivateKey.from_json({"PrivateKeyECDH": {**written, "crv": crv}})
    assert misread.signed_public != key.signed_public
    assert len(b64.decode(written["Private"])) == montgomery.CURVES[crv].size


def test_ed448_scalars_are_reduced_modulo_their_own_order(draft: ModuleType) -> None:
    key = generate("Ed448", os.urandom)
    shares = split.quorate(key, 2, 3, os.urandom)[:2]
    products = [share.key.scalar * share.coefficient([1, 2]) for share in shares]
    nonces = [PrivateKey.from_scalar("Ed448", generate("Ed448", os.urandom).scalar).scalar for _ in shares]
    for order, holds in ((algorithms.ED448.order, True), (algorithms.ED25519.order, False)):
        reduced = [product % order for product in products]
        made = draft.sign("Ed448", key.public.octets, b"message", nonces, reduced)
        if holds:
            key.public.verify(bytes.fromhex(made.signature), b"message")
        else:
            with pytest.raises(VerificationError):
                key.public.verify(bytes.fromhex(made.signature), b"message")
