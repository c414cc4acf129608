from meshdevice.app import main

main()
