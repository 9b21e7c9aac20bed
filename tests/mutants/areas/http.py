"""What is refused before anything runs, and what callers see of faults."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "anonymous_document_runs",
        "gateway/http/graphql_endpoint.py",
        "            check_anonymous(asked.query",
        "            len(asked.query",
        ("tests/api/test_http_credentials.py", "tests/api/test_http_hostile.py"),
    ),
    Mutation(
        "anonymous_fields_are_not_looked_at",
        "gateway/http/anonymous.py",
        "if not all(isinstance(node, FieldNode) and node.name.value in allowed for node in selections):",
        "if False:",
        ("tests/unit/test_request_body.py",),
    ),
    Mutation(
        "anonymous_document_has_any_length",
        "gateway/http/anonymous.py",
        "max_lexical_tokens=ANONYMOUS_TOKENS_MAX",
        "max_lexical_tokens=None",
        ("tests/unit/test_request_body.py",),
    ),
    Mutation(
        "anonymous_body_has_any_size",
        "gateway/http/graphql_endpoint.py",
        "body_bytes_max = min(body_bytes_max, ANONYMOUS_BODY_BYTES_MAX)",
        "pass",
        ("tests/api/test_http_hostile.py::test_anonymous_body_is_bounded_before_it_is_read",),
    ),
    Mutation(
        "declared_length_is_not_looked_at",
        "gateway/http/request_body.py",
        "if declared.isdigit() and int(declared) > body_bytes_max:",
        "if False:",
        ("tests/unit/test_request_body.py",),
    ),
    Mutation(
        "body_has_any_size",
        "gateway/http/request_body.py",
        "    if len(body) > body_bytes_max:\n",
        "    if False:\n",
        ("tests/api/test_http_protocol.py::test_body_over_the_limit_is_refused",),
    ),
    Mutation(
        "body_is_read_to_its_end",
        "gateway/http/request_body.py",
        'if size_bytes > body_bytes_max or not message.get("more_body", False):',
        'if not message.get("more_body", False):',
        ("tests/unit/test_request_body.py",),
    ),
    Mutation(
        "unfinished_bodies_have_no_bound",
        "gateway/http/body_budget.py",
        "            self._bytes + size_bytes > self._bytes_max\n            or ",
        "            ",
        (
            "tests/api/test_http_limits.py::test_unfinished_bodies_have_a_bound_for_all_and_for_each_tenant",
        ),
    ),
    Mutation(
        "tenant_sends_all_bodies",
        "gateway/http/body_budget.py",
        "            or self._tenant_bytes[tenant] + size_bytes > self._tenant_bytes_max\n",
        "",
        (
            "tests/api/test_http_limits.py::test_unfinished_bodies_have_a_bound_for_all_and_for_each_tenant",
        ),
    ),
    Mutation(
        "document_has_any_length",
        "gateway/http/graphql_documents.py",
        "        max_source_length=SOURCE_CHARACTERS_MAX,\n",
        "",
        ("tests/api/test_http_limits.py",),
    ),
    Mutation(
        "document_has_any_number_of_tokens",
        "gateway/http/graphql_documents.py",
        "        max_lexical_tokens=TOKENS_MAX,\n",
        "",
        ("tests/api/test_http_limits.py",),
    ),
    Mutation(
        "every_error_of_a_document_is_collected",
        "gateway/http/graphql_documents.py",
        "schema, document, _RULES, ERRORS_MAX, hide",
        "schema, document, _RULES, None, hide",
        ("tests/api/test_http_hostile.py::test_ten_errors_are_collected_and_one_that_says_so",),
    ),
    Mutation(
        "every_error_of_variables_is_collected",
        "gateway/http/graphql_schema.py",
        '            "max_coercion_errors": ERRORS_MAX,\n',
        "",
        ("tests/api/test_http_hostile.py::test_ten_errors_are_collected_and_one_that_says_so",),
    ),
    Mutation(
        "limits_do_not_come_first",
        "gateway/http/graphql_documents.py",
        "errors = validate(schema, document, _LIMITS, ERRORS_MAX) or validate(",
        "errors = validate(",
        ("tests/api/test_http_limits.py",),
    ),
    Mutation(
        "names_of_the_schema_are_suggested",
        "gateway/http/graphql_documents.py",
        "hide_suggestions=not suggests",
        "hide_suggestions=False",
        ("tests/api/test_http_errors.py::test_unknown_fields_are_suggested_in_development_only",),
    ),
    Mutation(
        "variables_nest_at_any_depth",
        "gateway/http/json_values.py",
        "if depth > DEPTH_MAX + _OUTER_LEVELS:",
        "if False:",
        ("tests/unit/test_json_bounds.py",),
    ),
    Mutation(
        "lists_have_any_length",
        "gateway/http/json_values.py",
        '_check_length(value, parent, LIST_ITEMS_MAX, "items")',
        "pass",
        ("tests/unit/test_json_bounds.py",),
    ),
    Mutation(
        "message_is_not_cut",
        "gateway/http/refusals.py",
        "    if len(message) <= MESSAGE_CHARACTERS_MAX:\n",
        "    if True:\n",
        ("tests/api/test_http_hostile.py",),
    ),
    Mutation(
        "answer_to_a_refused_request_is_large",
        "gateway/http/graphql_endpoint.py",
        "if fitting and size_bytes > REFUSAL_BYTES_MAX:",
        "if False:",
        ("tests/unit/test_refused_answers.py",),
    ),
    Mutation(
        "fault_is_shown",
        "gateway/http/error_presentation.py",
        "presented.append(_mask(error))",
        "presented.append(error)",
        ("tests/api/test_http_errors.py::test_fault_is_masked_and_logged_with_its_traceback",),
    ),
    Mutation(
        "fault_is_not_logged",
        "gateway/http/error_presentation.py",
        "    if faults:\n",
        "    if False:\n",
        ("tests/api/test_http_errors.py::test_fault_is_masked_and_logged_with_its_traceback",),
    ),
    Mutation(
        "get_runs_mutations",
        "gateway/http/graphql_endpoint.py",
        "None if is_post else _GET,",
        "None,",
        ("tests/api/test_http_protocol.py::test_get_never_runs_mutations",),
    ),
    Mutation(
        "anonymous_document_has_fragments",
        "gateway/http/anonymous.py",
        "if len(operations) < len(document.definitions) and not introspection_allowed:",
        "if False:",
        ("tests/unit/test_request_body.py",),
    ),
)
