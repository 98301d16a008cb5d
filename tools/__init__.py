"""Set-up, local servers and the supervisor: what a checkout needs to run itself.

Nothing here is part of the product: no service may import it, and it knows no customs word.
"""
