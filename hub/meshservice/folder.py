"""What lies where in the folder of a service that stands alone."""

KEY_FILE = "keys.json"
SERVICE_FOLDER = "service"
PUBLIC_FOLDER = "public"
SOCKET = "service.sock"
