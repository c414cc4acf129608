import os

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import algorithms, derive

DEVICE = "ZAAQ-AHCC-PWZG-EQXO-M4QM-OYWT-HDPG-DQ3D-HMIG-ABHP-LED2-KPAG-LOTB-QMJ7"


@pytest.mark.parametrize(
    ("name", "crv", "key_udf"),
    [
        ("BaseDeviceProfile", "Ed448", "MBYN-VC7T-AIEX-KCK2-WQLP-4B52-3GWY"),
        ("BaseDeviceEncrypt", "X448", "MD7T-7PDV-DH4R-OE4A-SICS-7GW6-UYYR"),
        ("BaseDeviceSign", "Ed448", "MBG3-B6UO-UCMR-B75K-AOLN-U4YL-FIZS"),
        ("BaseDeviceAuthenticate", "X448", "MAE5-BQ6L-VWWB-75GT-FPMM-VBON-3EDZ"),
    ],
)
def test_published_device_keys(name: str, crv: str, key_udf: str) -> None:
    key = derive.derive_key(DEVICE, name)
    assert (key.crv, key.public.udf) == (crv, key_udf)


@pytest.mark.parametrize(
    ("name", "crv"),
    [
        ("CompleteAccountAdminSign", "Ed448"),
        ("CompleteAccountAdminEncrypt", "X448"),
        ("CompleteAccountEscrow", "X448"),
        ("CompleteAccountEncryptMMM_Sign", "X448"),
        ("BaseServiceSign", "Ed448"),
        ("ActivationMemberEncrypt", "X448"),
    ],
)
def test_operation_decides_the_curve(name: str, crv: str) -> None:
    assert derive.derive_key(DEVICE, name).crv == crv


def test_name_type_code_and_data_all_count() -> None:
    same_data = udf.text(udf.SEED, (258).to_bytes(2, "big") + derive.seed_octets(DEVICE)[2:])
    made = {
        derive.derive_key(seed, name).public.udf
        for seed in (DEVICE, same_data, derive.new_seed(256, os.urandom))
        for name in ("BaseDeviceSign", "BaseHostSign")
    }
    assert len(made) == 6


@pytest.mark.parametrize("crv", list(algorithms.CURVES))
def test_explicit_codes_and_overrides(crv: str) -> None:
    code = algorithms.curve(crv).seed_code
    seed = derive.new_seed(code, os.urandom)
    assert derive.seed_type(seed) == code
    assert derive.derive_key(seed, "").crv == crv
    assert derive.derive_key(derive.new_seed(derive.ANY, os.urandom), "name", crv).crv == crv
    other = "X448" if crv != "X448" else "X25519"
    with pytest.raises(EncodingError):
        derive.derive_key(seed, "", other)


def test_seeds_have_the_published_form() -> None:
    seed = derive.new_seed(derive.PROFILE_ACCOUNT, lambda count: bytes(count))
    assert seed.startswith("ZAAQ-E")
    assert len(seed.replace("-", "")) == 56


@pytest.mark.parametrize(
    ("seed", "name"),
    [
        ("NDZZ-KNXV-IWNN-ZPN3-CIZY-YJUF-XMBA", "BaseDeviceSign"),
        (udf.text(udf.SEED, b"\x01\x00"), "BaseDeviceSign"),
        (udf.text(udf.SEED, b"\x00\x05" + bytes(32)), "BaseDeviceSign"),
        (udf.text(udf.SEED, b"\x77\x77" + bytes(32)), "BaseDeviceSign"),
        (DEVICE, "DeviceSign"),
        (DEVICE, "Sign"),
        (DEVICE, ""),
    ],
)
def test_what_is_no_seed_or_tells_no_curve_is_refused(seed: str, name: str) -> None:
    with pytest.raises(EncodingError):
        derive.derive_key(seed, name)


def test_unknown_seed_code() -> None:
    with pytest.raises(EncodingError):
        derive.new_seed(77, os.urandom)
