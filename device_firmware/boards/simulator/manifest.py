include("../manifest_common.py")
package("meshdevice", files=("board_simulator.py",), base_path="../..")
module("boot.py")
module("main.py")
