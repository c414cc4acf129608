"""Files that every board carries.

The calls are those of MicroPython's own manifests, so that a board's manifest can also freeze the firmware
into an image; meshfactory.bundle reads the same file.
"""

package(
    "mathmesh",
    files=("__init__.py", "errors.py", "codec/__init__.py", "codec/base32.py", "codec/b64.py"),
    base_path="../../hub",
)
package(
    "meshlink",
    files=(
        "__init__.py",
        "agreement.py",
        "ccm.py",
        "hkdf.py",
        "json_text.py",
        "kinds.py",
        "label.py",
        "messages.py",
        "noise.py",
        "onboard_device.py",
        "record.py",
        "ring.py",
        "run_device.py",
        "session.py",
        "suite.py",
    ),
    base_path="../../hub",
)
package(
    "meshdevice",
    files=(
        "__init__.py",
        "activation.py",
        "adoption.py",
        "aes.py",
        "app.py",
        "backoff.py",
        "blink.py",
        "button.py",
        "capability.py",
        "carrier_lan.py",
        "climate.py",
        "crypto.py",
        "hub_address.py",
        "identity.py",
        "light.py",
        "link_identity.py",
        "mqtt.py",
        "mqtt_packet.py",
        "net_lan.py",
        "onboard.py",
        "products.py",
        "run.py",
        "runtime.py",
        "sha512.py",
        "storage.py",
        "tls_context.py",
        "x25519.py",
        "x448.py",
    ),
    base_path="..",
)
