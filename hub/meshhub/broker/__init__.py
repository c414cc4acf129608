"""The MQTT broker: a disposable pipe that the hub runs itself."""
