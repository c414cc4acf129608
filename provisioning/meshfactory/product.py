"""What can be made: the products whose firmware definition exists
(device_firmware/meshdevice/products.py).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`kind` names the firmware's product definition, `model` goes into the description, `title` onto the
    label.
    """

    kind: str
    model: str
    title: str


PRODUCTS = {
    product.kind: product
    for product in (
        Product(kind="light", model="mesh/lamp1", title="Mesh lamp"),
        Product(kind="climate", model="mesh/climate1", title="Mesh climate sensor"),
        Product(kind="button", model="mesh/button1", title="Mesh button"),
    )
}
