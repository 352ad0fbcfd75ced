"""What API Gateway makes of a request for SQS, and of SQS's answer for the caller, in its template language.

Callers write bodies and headers: every value of theirs goes through ``$util.urlEncode``, or it could go on as another
parameter of the request that our role signs. The templates are single lines, because a line break would be part of it;
no letter follows #end or #else, because it would be part of that.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

from collections.abc import Sequence

from watchbot.contract import WEBHOOK_TIME, WEBHOOK_TYPE, WEBHOOK_VERIFIED_TYPE

CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain")
"""What callers may send; anything else is answered with 415. Without a content type it is taken for JSON."""

_GROUP = "webhook"
"""All requests are one message group of a FIFO queue: their order is the only one there is to keep."""


def request_template(attributes: Sequence[str], *, fifo: bool, verified: bool) -> str:
    """Render SendMessage's parameters: the body as it is, when the request came in, and headers as attributes.

    Headers are looked for in any case, since HTTP/2 has them in lower case alone, and SQS takes no empty attributes. On
    a FIFO queue each request is a message: two with the same body are two, and only API Gateway's own request id, which
    no caller can choose, tells them apart. A request that API Gateway lets in by a key alone is ``verified`` by that.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    kind = WEBHOOK_VERIFIED_TYPE if verified else WEBHOOK_TYPE
    parts = ["Action=SendMessage&MessageBody=$util.urlEncode($input.body)", _find(attributes)]
    parts.append(_attribute("1", WEBHOOK_TIME, kind, '$util.urlEncode("$context.requestTimeEpoch")'))
    if attributes:
        parts.append("#set($n = 1)")
    for number, name in enumerate(attributes):
        value = f"$util.urlEncode($h{number})"
        parts.append(f'#if($h{number} != "")#set($n = $n + 1){_attribute("${n}", name, "String", value)}#end')
    if fifo:
        parts.append(f"&MessageGroupId={_GROUP}&MessageDeduplicationId=$util.urlEncode($context.extendedRequestId)")
    return "".join(parts)


def _find(attributes: Sequence[str]) -> str:
    if not attributes:
        return ""
    unset = "".join(f'#set($h{number} = "")' for number in range(len(attributes)))
    found = "".join(
        f'#if($name.toLowerCase() == "{name}")#set($h{number} = $all.get($name))#end'
        for number, name in enumerate(attributes)
    )
    return f"#set($all = $input.params().header){unset}#foreach($name in $all.keySet()){found}#end"


def _attribute(number: str, name: str, kind: str, value: str) -> str:
    prefix = f"&MessageAttribute.{number}."
    return f"{prefix}Name={name}{prefix}Value.DataType={kind}{prefix}Value.StringValue={value}"


TAKEN = """{"MessageId":"$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}"""
"""The answer to a request that is in the queue."""

NOT_TAKEN = '{"message":"it could not be queued; send it again"}'
"""The answer when the fault is ours; senders that try again do so for a 5xx."""

TOO_LARGE = '{"message":"it is too large: a body and its headers may have 1 MiB"}'
"""The answer to what is larger than a message may be."""

REFUSED = (
    "#set($code = $input.path('$.Error.Code'))"
    """#set($why = "$input.path('$.Error.Message')")"""
    '#if($why.contains("must be shorter than"))'
    f"#set($context.responseOverride.status = 413){TOO_LARGE}"
    '#elseif($code == "InvalidMessageContents" || $code == "InvalidParameterValue" || $code == "MissingParameter")'
    '{"message":"it has characters that a message cannot have, or none"}'
    f"#else#set($context.responseOverride.status = 503){NOT_TAKEN}#end"
)
"""The answer when SQS says 400: that is also its word for throttling, for a key it may not use, for a missing queue.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
"""
