"""Cards: PKCS#11 modules in processes of their own, and the agent's side of them."""
