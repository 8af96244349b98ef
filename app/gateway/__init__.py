"""The metering proxy in front of model APIs: it holds the money before a call and settles it after."""
