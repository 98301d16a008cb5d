"""The customs side of the gateway: messages out (transmit), receipts in (receipts). See README.md."""
