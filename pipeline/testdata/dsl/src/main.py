print("a stub: what is recorded depends on its bytes")
