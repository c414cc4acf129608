include("../manifest_common.py")
package("meshdevice", files=("aes_soft.py", "board_simulator.py"), base_path="../..")
module("boot.py")
module("main.py")
