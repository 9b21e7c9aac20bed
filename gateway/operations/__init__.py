"""Operations: idempotency keys and their stored answers."""
