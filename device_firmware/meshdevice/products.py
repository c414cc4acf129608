"""Which nodes a unit has: one entry per kind that the factory writes into the identity.

A node is imported only by the product that has it: a lamp does not spend heap on a sensor's code.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshdevice.capability import Capability
    from meshdevice.parts import Board


def build(kind: str, board: "Board") -> "dict[str, Capability]":
    """Nodes by name, in the order of the description; raises ValueError for a kind that is not known."""
    if kind == "light":
        from meshdevice.light import Light

        return {"light": Light(lambda percent: board.actuate("light", percent))}
    if kind == "climate":
        from meshdevice.climate import Climate

        return {"air": Climate(board.measure)}
    if kind == "button":
        from meshdevice.button import Button

        return {"button": Button()}
    raise ValueError("this firmware has no product " + kind)
