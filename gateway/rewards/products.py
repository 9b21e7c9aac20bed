"""Use cases: make a product with its first stock, and add to its stock. Units are posted from issuance to stock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.ledger.model import (
    Account,
    BalanceTooHigh,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.item_store import fetch_items, insert_product
from gateway.rewards.items import ItemKey, Product
from gateway.rewards.rules import check_count, check_name
from gateway.storage.database import Connection, Database

UNITS_PER_CALL_MAX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """A new product with its first stock, which may be none. Units: whole units of the product."""

    request_id: str
    name: str
    initial_stock: int = 0


@dataclass(frozen=True, slots=True)
class RestockProduct:
    """How many units to add to which product's stock."""

    request_id: str
    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class ProductOutcome:
    """The product, and its stock as the first request with this key left it."""

    product: Product
    stock: int
    idempotent_replay: bool


async def create_product(
    database: Database, caller: Caller, command: CreateProduct
) -> ProductOutcome:
    """Make a product, the asset of the same id that counts its units, and its first stock.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_name(command.name, ("input", "name"))
    if command.initial_stock:
        path = ("input", "initialStock")
        errors += check_count(command.initial_stock, path, UNITS_PER_CALL_MAX)
    if errors:
        raise InvalidInput(errors)
    given = {"name": command.name, "initialStock": command.initial_stock}
    request = Request(OperationKind.CREATE_PRODUCT, command.request_id, given, new_id())
    product_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        product = Product(product_id, caller.organization_id, command.name, operation.at)
        await insert_product(connection, caller.tenant_id, product)
        stock = 0
        if command.initial_stock:
            stock = await _stock(connection, caller, product_id, command.initial_stock, operation)
        return {**product.to_json(), "stock": stock}

    answer = await run_once(database, caller, request, work)
    return _to_outcome(answer.value, answer.idempotent_replay)


async def restock_product(
    database: Database, caller: Caller, command: RestockProduct
) -> ProductOutcome:
    """Add units to a product's stock.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; a stock beyond what the ledger can count is one.
        NotFound: the caller's organization has no such product.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    path = ("input", "quantity")
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_count(command.quantity, path, UNITS_PER_CALL_MAX)
    if errors:
        raise InvalidInput(errors)
    given = {"productId": command.product_id, "quantity": command.quantity}
    request = Request(OperationKind.RESTOCK_PRODUCT, command.request_id, given, new_id())
    key = ItemKey(caller.organization_id, command.product_id)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        products = await fetch_items(connection, caller.tenant_id, Product, [key])
        if key not in products:
            raise NotFound("No such product.", ("input", "productId"))
        try:
            stock = await _stock(connection, caller, key.id, command.quantity, operation)
        except BalanceTooHigh as error:
            raise InvalidInput([FieldError(path, "range", error.message)]) from error
        return {**products[key].to_json(), "stock": stock}

    answer = await run_once(database, caller, request, work)
    return _to_outcome(answer.value, answer.idempotent_replay)


async def _stock(
    connection: Connection, caller: Caller, product_id: UUID, units: int, operation: Operation
) -> int:
    """Post units from the organization's issuance to the product's stock; return what is available then."""
    stock = Account(product_id, OwnerKind.STOCK, product_id)
    issuance = Account(product_id, OwnerKind.ISSUANCE, caller.organization_id)
    transaction = Transaction(
        id=new_id(),
        kind=TransactionKind.STOCK,
        operation_id=operation.id,
        occurred_at=operation.at,
        payload={"productId": str(product_id), "quantity": units},
        credential_id=operation.credential_id,
    )
    book = await lock_balances(connection, caller.tenant_id, [stock], operation.at)
    book.open(transaction)
    book.post(transaction, [Transfer(issuance, stock, units)])
    await record(connection, caller.tenant_id, book, operation.at)
    return book.available_minor(stock)


def _to_outcome(value: dict[str, Any], idempotent_replay: bool) -> ProductOutcome:
    return ProductOutcome(Product.from_json(value), value["stock"], idempotent_replay)
