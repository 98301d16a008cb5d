"""A package, so that pytest closes the signer of its conftest before the tests of another folder begin."""
