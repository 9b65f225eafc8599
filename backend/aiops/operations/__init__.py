"""One module an operation, named by its operationId, with one function `handle` in it (`aiops.contract.binding`)."""
