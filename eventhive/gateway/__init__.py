"""The gateway: device links on one side, the networks of a hive on the other, and pure routing between them."""
