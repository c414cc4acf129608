"""The device and account of our own trace (tests/vectors/link/trace.json), small enough for a small heap."""

ACCOUNT = "household@example.net"
DEVICE_UDF = bytes.fromhex(
    "60b0b28c85310bcc4aa4179a6f7cef1705c7ff54316b16520991f477784d426865dc4813208aa38ec3fbe236f9a7fbdb"
    "ad1d2dddfe65b5f6209b948e85980b71"
)
ACCOUNT_UDF = bytes.fromhex(
    "60472dbae20dd89598e09f7ab2c937157853e2e9948fc7aa0759eb37f0323c789a860f34db047dccf451b29016064a1a"
    "faaeaf69e7e171b794935372fc6785b1"
)
LID = bytes.fromhex("ddccea5836c8e3845939")
PSK_ON = bytes.fromhex("93a80e9ffadac1af8013703935f6878e8cd77879c310e75478a8f4e932372228")
ENCRYPTION_SCALAR = bytes.fromhex(
    "bcd6bbe5219084a29c54b29096ce061a69bdb200f0c91e74ecc89f32787c669d1056d9f95bd3dfca04bfb8e404244898"
    "4cf0c1f5c9207de0"
)
AUTHENTICATION_SCALAR = bytes.fromhex(
    "60c32c54a5b852f8ae40f9b9df5479a5734057d52b46783f0dfa2337293636460b002cd98f0425bd5d0982a58e0d1075"
    "05dc3bdf6f6298b6"
)
AUTHENTICATION = bytes.fromhex(
    "dd8f48d06b909b9c6774311dfcdf6ca332431bf44378eb44b8feb44d793d470b2bb5351b0e0ae7d02d8a88b68588759f"
    "399e6d58d79f6d5000"
)
ADOPTER_KEY = bytes.fromhex(
    "c83d1d1026c5a630093c5d6e09eb280734e14432209596fd9305408abeec4d6946b7f10b7287ee9abccc616a2e851911"
    "61f221b551ed138200"
)
AGREED = bytes.fromhex(
    "025edfea21ede99c8e939cd41c9f51ddff7d963ae02c541975dc4562594db4f3d328a1618bad15478da17e86c241ec7e"
    "008060d7182667db"
)
ACTIVATION = (
    b'[{"enc":"A256CBC","dig":"S512","kid":"EBQL-6AQC-AHJ6-TK74-BBQY-M3HF-X7JI","Salt":"PtJJTD1blK'
    b'liGGIJZAIQuA","recipients":[{"kid":"MBWN-GEPL-PEYS-PQGZ-TP7A-VI7V-4FFR","epk":{"PublicKeyECD'
    b'H":{"crv":"X448","Public":"oslGZDr629qCSDPVcezfZysJuNgGK4g83lBjiHrJvjDltb-bep9N9_8C2enqMB3JQ'
    b'ybsI47iWZKA"}},"wmk":"vY9Ul3TvF0DrNXeFmEN6G4gveZeZ4FGh20D1jgtqLmwqVFzC1s3rIQ"}]},"tgzeJWcQ8K'
    b"IZHt8mJfnigsIXrGfLzqemmT9P97rAloqZtisFPakql5jR5sJElfyHsDi7W_V44VPSdx4-Y22ULJik4PnEz3UNikdO5T"
    b"YzshAxKOZUGK03J-3W8Ytd6Qlk6REflsStR_sXt6GpjneLOmE8xP4PvKWQnBFIXTblsGxrwpiOAe_NA4v2JD5acyvVqx"
    b'VYsiJ3la2BkHj79eIX6IX9EzaYFO5qnd6oADudPUM",{"signatures":[{"alg":"S512","kid":"MDWW-QBQJ-W2O'
    b'G-RAX3-4DPF-XTTA-AM5U","signature":"H3dTbRB-guNVwjKeQ4fj3MSfi8mMhhZOvJB9rqgLkmfpf9T86qGQuS5m'
    b"BE1Og_0ux0ij4aq5-keA9wQK13xfglHLXHQ8_iYAjaMcDNsK-_YdJ3vU0kvInjQ31xY7RLS-SgVy-AIA41sdptjQm-tL"
    b'jwsA","witness":"bcuMy2-KJE7MzdxKIYqPMQkFk1zRv4Lw14t3kmDNGis"}],"PayloadDigest":"blKlNzZEEm6'
    b'zfgAKp126FHoooJekgu5CvMEe47X47ZvAeZJM2-qkaQjONdQs0EXw1cXW__LJPO2nUAcsrbzHaA"}]'
)
