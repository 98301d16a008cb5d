"""What a document is. Pure: no database, no network, no clock.

One declaration per type in documents/types/; validation, sheets, XML, receipts and pages follow from it.
"""
