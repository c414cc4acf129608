include("../manifest_common.py")
package("meshdevice", files=("board_machine.py", "net_wifi.py"), base_path="../..")
module("boot.py")
module("main.py")
