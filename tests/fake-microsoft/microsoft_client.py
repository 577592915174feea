#!/usr/bin/env python3
"""Drives the fake Microsoft with Microsoft's own client libraries: microsoft_client.py URL

msgraph-sdk is generated from Graph's own description, so what it sends and how it reads answers is Microsoft's own word; so is MSAL's
OAuth client, which also judges the id token. Every path that the fake has is called, and the answers are compared with the documents.
"""

import asyncio
import base64
import json
import sys
import threading
import urllib.parse
import urllib.request
import warnings
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msal.oauth2cli.oidc import Client as OidcClient
from msgraph import GraphServiceClient
from msgraph.generated.models.attachment_item import AttachmentItem
from msgraph.generated.models.attachment_type import AttachmentType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.category_color import CategoryColor
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.followup_flag import FollowupFlag
from msgraph.generated.models.followup_flag_status import FollowupFlagStatus
from msgraph.generated.models.importance import Importance
from msgraph.generated.models.internet_message_header import InternetMessageHeader
from msgraph.generated.models.item_attachment import ItemAttachment
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mail_folder import MailFolder
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.outlook_category import OutlookCategory
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import MessagesRequestBuilder as FolderMessages
from msgraph.generated.users.item.mail_folders.mail_folders_request_builder import MailFoldersRequestBuilder as Folders
from msgraph.generated.users.item.messages.item.attachments.create_upload_session.create_upload_session_post_request_body import (
    CreateUploadSessionPostRequestBody,
)
from msgraph.generated.users.item.messages.item.copy.copy_post_request_body import CopyPostRequestBody
from msgraph.generated.users.item.messages.item.create_forward.create_forward_post_request_body import CreateForwardPostRequestBody
from msgraph.generated.users.item.messages.item.create_reply.create_reply_post_request_body import CreateReplyPostRequestBody
from msgraph.generated.users.item.messages.item.create_reply_all.create_reply_all_post_request_body import CreateReplyAllPostRequestBody
from msgraph.generated.users.item.messages.item.forward.forward_post_request_body import ForwardPostRequestBody
from msgraph.generated.users.item.messages.item.message_item_request_builder import MessageItemRequestBuilder
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.generated.users.item.messages.item.reply.reply_post_request_body import ReplyPostRequestBody
from msgraph.generated.users.item.messages.item.reply_all.reply_all_post_request_body import ReplyAllPostRequestBody
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory, PageIterator
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

EMAIL, OTHER, PERSONAL = "ada@contoso.example", "bo@contoso.example", "cy@outlook.com"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
SCOPES = ["openid", "profile", "email", "offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send"]
APP = "11111111-1111-4111-8111-111111111111"
REDIRECT = "http://localhost/callback"
IMMUTABLE = 'IdType="ImmutableId"'


async def main(url: str) -> None:
    for email in (EMAIL, OTHER, PERSONAL):
        admin(url, "POST", "mailboxes", {"email": email})
    signed_in = sign_in(url, EMAIL, "common")
    refreshed = refresh(url, signed_in)
    sign_in(url, PERSONAL, "consumers")
    graph = client(url, refreshed["access_token"])
    async with Webhook() as webhook:
        subscription = await subscribed(graph, webhook)
        await me(graph, url)
        await listing(graph, url)
        await changes(graph, url)
        await drafts(graph, url)
        await attachments(graph, url)
        await sending(graph, url)
        await folders(graph)
        await batch(graph, url)
        await refusals(graph, url)
        await told(graph, url, webhook, subscription)
    paths = covered(url)
    print(f"Microsoft's client and the fake agree on {paths} paths")


def admin(url: str, method: str, path: str, body: dict | None = None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/admin/{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def delivered(url: str, **mail) -> dict:
    return admin(url, "POST", f"mailboxes/{EMAIL}/messages", mail)


def sign_in(url: str, email: str, tenant: str) -> dict:
    """By the code flow of MSAL, with PKCE, state and nonce; MSAL judges the id token's issuer, audience, time and nonce."""
    with urllib.request.urlopen(f"{url}/{tenant}/v2.0/.well-known/openid-configuration") as response:
        configuration = json.load(response)
    own = admin(url, "GET", f"mailboxes/{email}")
    configuration["issuer"] = configuration["issuer"].replace("{tenantid}", own["tid"])
    oidc = OidcClient(configuration, APP, client_secret="local-secret", http_client=requests.Session())
    flow = oidc.initiate_auth_code_flow(scope=SCOPES, redirect_uri=REDIRECT, login_hint=email, prompt="select_account")
    answer = requests.get(flow["auth_uri"], allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))
    granted = oidc.obtain_token_by_auth_code_flow(flow, back)
    claims = granted["id_token_claims"]
    assert (claims["tid"], claims["oid"], claims["email"]) == (own["tid"], own["oid"], email), claims
    assert (tenant == "consumers") == (claims["tid"] == PERSONAL_TENANT)
    assert {"Mail.ReadWrite", "Mail.Send"} <= set(granted["scope"].split() if isinstance(granted["scope"], str) else granted["scope"])
    again = oidc.obtain_token_by_auth_code_flow(flow, back)
    assert (again["error"], again["error_codes"]) == ("invalid_grant", [54005]), again
    return granted | {"oidc": oidc}


def refresh(url: str, granted: dict) -> dict:
    """Each use answers a new refresh token, and the old one stays valid."""
    oidc = granted["oidc"]
    first = oidc.obtain_token_by_refresh_token(granted["refresh_token"])
    second = oidc.obtain_token_by_refresh_token(granted["refresh_token"])
    assert len({granted["refresh_token"], first["refresh_token"], second["refresh_token"]}) == 3
    for secret, number in (("wrong", 7000215), (None, 7000222)):
        admin(url, "PUT", "oauth", {"secret_expired": secret is None})
        other = OidcClient(oidc.configuration, APP, client_secret=secret or "local-secret", http_client=requests.Session())
        refused = other.obtain_token_by_refresh_token(first["refresh_token"])
        assert (refused["error"], refused["error_codes"]) == ("invalid_client", [number]), refused
    admin(url, "PUT", "oauth", {})
    return first


class Token(AccessTokenProvider):
    def __init__(self, token: str):
        self.token = token

    async def get_authorization_token(self, uri: str, additional_authentication_context: dict = {}) -> str:  # noqa: B006
        return self.token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


class Adapter(GraphRequestAdapter):
    """Fails at an answer with a field that Microsoft's model of it does not have."""

    async def send_async(self, request_info, parsable_factory, error_map):
        return known(await super().send_async(request_info, parsable_factory, error_map))


def known(answer):
    """The library keeps what it does not know as additional data."""
    fields = vars(answer) if hasattr(answer, "additional_data") else {}
    unknown = [name for name in fields.get("additional_data", {}) if "@odata." not in name]
    assert not unknown, f"{type(answer).__name__} has no {unknown}"
    for value in fields.values():
        for one in value if isinstance(value, list) else [value]:
            known(one)
    return answer


def client(url: str, token: str) -> GraphServiceClient:
    http = GraphClientFactory.create_with_default_middleware(options=options)
    adapter = Adapter(BaseBearerTokenAuthenticationProvider(Token(token)), http)
    adapter.base_url = f"{url}/v1.0"
    http.base_url = adapter.base_url
    return GraphServiceClient(request_adapter=adapter)


def wish(parameters=None, **more) -> RequestConfiguration:
    configuration = RequestConfiguration(query_parameters=parameters) if parameters else RequestConfiguration()
    configuration.headers.add("Prefer", more.get("prefer", IMMUTABLE))
    return configuration


def listed(**parameters) -> RequestConfiguration:
    return wish(MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(**parameters))


def recipient(address: str) -> Recipient:
    return Recipient(email_address=EmailAddress(address=address))


def written(subject: str, text: str, to: str = OTHER, **more) -> Message:
    return Message(subject=subject, body=ItemBody(content_type=BodyType.Text, content=text), to_recipients=[recipient(to)], **more)


async def refused(call, status: int, code: str) -> None:
    try:
        await call
    except ODataError as error:
        assert (error.response_status_code, error.error.code) == (status, code), (error.response_status_code, error.error)
        assert error.error.inner_error.request_id and error.error.inner_error.date
        return
    raise AssertionError(f"not refused with {code}")


async def me(graph, url: str) -> None:
    own = admin(url, "GET", f"mailboxes/{EMAIL}")
    found = await graph.me.get()
    assert (found.id, found.mail, found.user_principal_name) == (own["oid"], EMAIL, EMAIL)


async def listing(graph, url: str) -> None:
    made = delivered(url, subject="Mail {n}", text="hello", count=7, attachments=[{"filename": "a.pdf", "size": 300}])
    ids = {one["id"] for one in made}
    page = await graph.me.messages.get(listed(filter="lastModifiedDateTime ge 2020-01-01T00:00:00Z", orderby=["lastModifiedDateTime"], top=3, select=["id", "subject", "changeKey"]))
    assert len(page.value) == 3 and page.value[0].subject.startswith("Mail ") and page.value[0].body is None and page.odata_next_link
    found: list[str] = []
    iterator = PageIterator(page, graph.request_adapter)
    iterator.headers.add("Prefer", IMMUTABLE)
    await iterator.iterate(lambda one: found.append(one.id) or True)
    assert set(found) == ids and len(found) == 7
    plain = await graph.me.messages.get()
    assert not {one.id for one in plain.value} & ids, "without the preference the ids are others"
    some = (await graph.me.messages.get(listed(count=True, expand=["attachments"], top=2)))
    assert some.odata_count == 7 and some.value[0].attachments[0].name == "a.pdf" and some.value[0].has_attachments
    assert len((await graph.me.messages.get(listed(search='"subject:Mail"'))).value) == 7
    one = some.value[0]
    assert one.received_date_time.microsecond == 0 and one.from_.email_address.address == "bo@example.com" and one.is_read is False
    same = await graph.me.messages.get(listed(filter=f"conversationId eq '{one.conversation_id}'"))
    assert [other.id for other in same.value] == [one.id]
    await refused(graph.me.messages.get(listed(filter="isRead eq false", orderby=["receivedDateTime"])), 400, "InefficientFilter")
    inbox = FolderMessages.MessagesRequestBuilderGetQueryParameters(filter="isRead eq false", top=50, skip=2)
    assert len((await graph.me.mail_folders.by_mail_folder_id("inbox").messages.get(wish(inbox))).value) == 5


async def changes(graph, url: str) -> None:
    mail = delivered(url, subject="To change", text="line one\r\nline two", headers={"X-Test": "yes"})
    message = graph.me.messages.by_message_id(mail["id"])
    before = await message.get(wish())
    assert before.body.content_type == BodyType.Html and "line two" in before.body.content and before.body_preview == "line one line two"
    text = await message.get(wish(prefer=f'{IMMUTABLE}, outlook.body-content-type="text"'))
    assert text.body.content_type == BodyType.Text and text.body.content.startswith("line one")
    selected = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(select=["internetMessageHeaders"])
    headers = (await message.get(wish(selected))).internet_message_headers
    assert ("X-Test", "yes") in [(one.name, one.value) for one in headers]
    flag = FollowupFlag(flag_status=FollowupFlagStatus.Flagged)
    changed = await message.patch(Message(is_read=True, categories=["Red", "Red"], importance=Importance.High, flag=flag), wish())
    assert changed.id == mail["id"] and changed.change_key != before.change_key and changed.is_read and changed.categories == ["Red"]
    assert (changed.importance, changed.flag.flag_status) == (Importance.High, FollowupFlagStatus.Flagged)
    moved = await message.move.post(MovePostRequestBody(destination_id="archive"), wish())
    archive = await graph.me.mail_folders.by_mail_folder_id("archive").get()
    assert moved.id == mail["id"] and moved.parent_folder_id == archive.id and archive.total_item_count == 1
    copied = await message.copy.post(CopyPostRequestBody(destination_id=archive.id), wish())
    assert copied.id != mail["id"] and copied.internet_message_id == before.internet_message_id
    assert b"Subject: To change" in await message.content.get(wish())
    await message.delete(wish())
    deleted = await graph.me.mail_folders.by_mail_folder_id("deleteditems").get()
    assert (await message.get(wish())).parent_folder_id == deleted.id
    await message.permanent_delete.post(wish())
    await refused(message.get(wish()), 404, "ErrorItemNotFound")
    await refused(graph.me.messages.by_message_id("short").get(wish()), 400, "ErrorInvalidIdMalformed")


async def drafts(graph, url: str) -> None:
    draft = await graph.me.messages.post(written("Draft", "one", internet_message_headers=[InternetMessageHeader(name="x-own", value="1")]), wish())
    assert draft.is_draft and draft.from_.email_address.address == EMAIL and draft.internet_message_id.startswith("<")
    message = graph.me.messages.by_message_id(draft.id)
    changed = await message.patch(Message(subject="Draft, changed", cc_recipients=[recipient(PERSONAL)]), wish())
    assert (changed.subject, changed.cc_recipients[0].email_address.address) == ("Draft, changed", PERSONAL)
    await message.send.post(wish())
    sent = await message.get(wish())
    folder = await graph.me.mail_folders.by_mail_folder_id("sentitems").get()
    assert not sent.is_draft and sent.parent_folder_id == folder.id, "under the same id in Sent Items"
    arrived = admin(url, "GET", f"mailboxes/{OTHER}")["messages"]
    assert [one["subject"] for one in arrived] == ["Draft, changed"] and arrived[0]["internet_message_id"] == draft.internet_message_id
    await refused(graph.me.messages.post(written("x", "x", internet_message_headers=[InternetMessageHeader(name="References", value="<1>")])), 400, "InvalidInternetMessageHeader")
    mail = delivered(url, subject="Question", text="?", message_id="<question@example.com>", to=[EMAIL, "di@example.com"], **{"from": "Cy <cy@example.com>"})
    message = graph.me.messages.by_message_id(mail["id"])
    reply = await message.create_reply.post(CreateReplyPostRequestBody(comment="!"), wish())
    everybody = await message.create_reply_all.post(CreateReplyAllPostRequestBody(comment="!"), wish())
    forward = await message.create_forward.post(CreateForwardPostRequestBody(to_recipients=[recipient(OTHER)]), wish())
    addresses = lambda one: [to.email_address.address for to in one.to_recipients]  # noqa: E731
    assert (reply.subject, addresses(reply)) == ("RE: Question", ["cy@example.com"])
    assert addresses(everybody) == ["cy@example.com", "di@example.com"] and reply.conversation_id == everybody.conversation_id
    assert (forward.subject, addresses(forward)) == ("FW: Question", [OTHER])
    raw = await graph.me.messages.by_message_id(reply.id).content.get(wish())
    assert b"In-Reply-To: <question@example.com>" in raw
    await message.reply.post(ReplyPostRequestBody(comment="yes"), wish())
    await message.reply_all.post(ReplyAllPostRequestBody(comment="yes"), wish())
    await message.forward.post(ForwardPostRequestBody(to_recipients=[recipient(OTHER)], comment="see"), wish())
    assert admin(url, "GET", f"mailboxes/{OTHER}")["messages"][-1]["subject"] == "FW: Question"


async def attachments(graph, url: str) -> None:
    draft = await graph.me.messages.post(written("With files", "see"), wish())
    files = graph.me.messages.by_message_id(draft.id).attachments
    made = await files.post(FileAttachment(odata_type="#microsoft.graph.fileAttachment", name="a.txt", content_type="text/plain", content_bytes=b"hello"), wish())
    assert isinstance(made, FileAttachment) and made.size == 5
    item = AttachmentItem(attachment_type=AttachmentType.File, name="big.bin", size=5_000_000)
    session = await files.create_upload_session.post(CreateUploadSessionPostRequestBody(attachment_item=item), wish())
    assert session.next_expected_ranges == ["0-"] and session.expiration_date_time > datetime.now(timezone.utc)
    big = bytes(range(250)) * 20_000
    for start in range(0, len(big), 3_000_000):
        part = big[start : start + 3_000_000]
        said = {"content-range": f"bytes {start}-{start + len(part) - 1}/{len(big)}", "content-type": "application/octet-stream"}
        answer = requests.put(session.upload_url, part, headers=said, timeout=30)
    assert answer.status_code == 201 and "/attachments(" in answer.headers["location"]
    names = [one.name for one in (await files.get(wish())).value]
    assert names == ["a.txt", "big.bin"], names
    read = await files.by_attachment_id(made.id).get(wish())
    assert read.content_bytes == b"hello"
    bigger = (await files.get(wish())).value[1]
    request = RequestInformation(Method.GET, "{+baseurl}/me/messages/{message}/attachments/{attachment}/$value", {"message": draft.id, "attachment": bigger.id})
    request.headers.add("Prefer", IMMUTABLE)
    assert await graph.request_adapter.send_primitive_async(request, "bytes", {}) == big
    await files.by_attachment_id(made.id).delete(wish())
    assert len((await files.get(wish())).value) == 1
    small = AttachmentItem(attachment_type=AttachmentType.File, name="small.bin", size=10)
    await refused(files.create_upload_session.post(CreateUploadSessionPostRequestBody(attachment_item=small)), 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
    inner = base64.b64encode(b"Subject: Inner\r\n\r\ninner").decode()
    outer = delivered(url, subject="Forwarded", text="see", attachments=[{"filename": "inner.eml", "mime_type": "message/rfc822", "content": inner}])
    (item,) = (await graph.me.messages.by_message_id(outer["id"]).attachments.get(wish())).value
    assert isinstance(item, ItemAttachment), item


async def sending(graph, url: str) -> None:
    await graph.me.send_mail.post(SendMailPostRequestBody(message=written("By JSON", "one"), save_to_sent_items=False))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["In-Reply-To"] = EMAIL, OTHER, "By MIME", "<question@example.com>"
    mail.set_content("Grüße")
    for path in ("me/sendMail", "me/messages"):
        request = RequestInformation(Method.POST, "{+baseurl}/" + path, {})
        request.headers.add("Prefer", IMMUTABLE)
        request.set_stream_content(base64.b64encode(mail.as_bytes()), "text/plain")
        if path == "me/sendMail":
            await graph.request_adapter.send_no_response_content_async(request, {})
        else:
            draft = await graph.request_adapter.send_async(request, Message, {})
    assert draft.is_draft and draft.subject == "By MIME" and draft.to_recipients[0].email_address.address == OTHER
    arrived = admin(url, "GET", f"mailboxes/{OTHER}")["messages"]
    assert [one["subject"] for one in arrived[-2:]] == ["By JSON", "By MIME"]
    own = [one["subject"] for one in admin(url, "GET", f"mailboxes/{EMAIL}")["messages"] if one["folder"] == "sentitems"]
    assert "By MIME" in own and "By JSON" not in own
    await refused(graph.me.send_mail.post(SendMailPostRequestBody(message=Message(subject="to nobody"))), 400, "ErrorInvalidRecipients")


async def folders(graph) -> None:
    known = {one.display_name for one in (await graph.me.mail_folders.get(wish(Folders.MailFoldersRequestBuilderGetQueryParameters(top=50)))).value}
    assert {"Inbox", "Drafts", "Sent Items", "Deleted Items", "Junk Email", "Archive", "Outbox"} <= known
    made = await graph.me.mail_folders.post(MailFolder(display_name="Invoices"))
    await refused(graph.me.mail_folders.post(MailFolder(display_name="invoices")), 409, "ErrorFolderExists")
    folder = graph.me.mail_folders.by_mail_folder_id(made.id)
    child = await folder.child_folders.post(MailFolder(display_name="2026"))
    assert child.parent_folder_id == made.id and [one.id for one in (await folder.child_folders.get()).value] == [child.id]
    assert (await folder.patch(MailFolder(display_name="Bills"))).display_name == "Bills"
    await folder.delete()
    await refused(graph.me.mail_folders.by_mail_folder_id(child.id).get(), 404, "ErrorItemNotFound")
    await refused(graph.me.mail_folders.by_mail_folder_id("inbox").delete(), 400, "ErrorDeleteDistinguishedFolder")
    categories = graph.me.outlook.master_categories
    await categories.post(OutlookCategory(display_name="Urgent", color=CategoryColor.Preset0))
    (category,) = (await categories.get()).value
    assert (category.display_name, category.color) == ("Urgent", CategoryColor.Preset0)


async def batch(graph, url: str) -> None:
    ids = [one["id"] for one in delivered(url, subject="In a batch {n}", count=5)]
    wanted = [*ids, "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0Anone"]
    items = []
    for number, one in enumerate(wanted):
        request = graph.me.messages.by_message_id(one).to_get_request_information(wish())
        request.path_parameters["baseurl"] = f"{url}/v1.0"
        items.append(BatchRequestItem(request_information=request, id=str(number)))
        # The library would send the whole address; the documents want a relative one.
        items[-1].set_url(f"/me/messages/{one}")
    content = BatchRequestContent({item.id: item for item in items})
    answer = await graph.batch.post(batch_request_content=content)
    found = {number: answer.get_response_by_id(str(number)).status for number in range(6)}
    assert found == {0: 200, 1: 200, 2: 200, 3: 200, 4: 200, 5: 404}, found


async def refusals(graph, url: str) -> None:
    await refused(client(url, "nonsense").me.get(), 401, "InvalidAuthenticationToken")
    admin(url, "POST", "faults", {"name": "messages.list", "status": 429, "retry_after": "1", "times": 1})
    assert len((await graph.me.messages.get(listed(top=1))).value) == 1, "the client waits and tries again"
    statuses = [one["status"] for one in admin(url, "GET", "calls") if one["name"] == "messages.list"]
    assert statuses[-2:] == [429, 200], statuses
    admin(url, "PUT", f"mailboxes/{EMAIL}/claims", {"claims": '{"access_token":{"nbf":{"essential":true}}}'})
    await refused(graph.me.get(), 401, "InvalidAuthenticationToken")
    admin(url, "PUT", f"mailboxes/{EMAIL}/claims", {})


class Webhook:
    """Answers the handshake, and keeps what it is told."""

    async def __aenter__(self):
        posts = self.posts = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                token = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("validationToken")
                if not token:
                    posts.append(body)
                self.send_response(200 if token else 202)
                self.send_header("content-type", "text/plain")
                self.end_headers()
                self.wfile.write((token or [""])[0].encode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        return self

    async def __aexit__(self, *_):
        self.server.shutdown()

    def items(self) -> list[dict]:
        """The library has no model of notifications, so they are compared by hand."""
        return [item for post in self.posts for item in json.loads(post)["value"]]


async def subscribed(graph, webhook: Webhook) -> Subscription:
    ends = datetime.now(timezone.utc) + timedelta(days=6)
    wanted = Subscription(
        change_type="created,updated", notification_url=webhook.url, lifecycle_notification_url=webhook.url,
        resource="me/messages", expiration_date_time=ends, client_state="secret",
    )
    made = await graph.subscriptions.post(wanted, wish())
    assert made.id and abs(made.expiration_date_time - ends) < timedelta(seconds=2)
    return made


async def told(graph, url: str, webhook: Webhook, subscription: Subscription) -> None:
    admin(url, "POST", "notifications/flush", {})
    webhook.posts.clear()
    mail = delivered(url, subject="Told")
    admin(url, "POST", f"subscriptions/{subscription.id}/lifecycle/missed")
    admin(url, "POST", "notifications/flush", {})
    items = webhook.items()
    (item,) = (one for one in items if "lifecycleEvent" not in one)
    (missed,) = (one for one in items if "lifecycleEvent" in one)
    assert (item["changeType"], item["clientState"], item["subscriptionId"]) == ("created", "secret", subscription.id)
    assert item["resourceData"]["id"] == mail["id"] and missed["lifecycleEvent"] == "missed"
    one = graph.subscriptions.by_subscription_id(subscription.id)
    assert (await one.get()).resource == "me/messages" and len((await graph.subscriptions.get()).value) == 1
    later = datetime.now(timezone.utc) + timedelta(days=5)
    assert (await one.patch(Subscription(expiration_date_time=later))).id == subscription.id
    await one.reauthorize.post()
    await one.delete()
    await refused(one.patch(Subscription(expiration_date_time=later)), 404, "ResourceNotFound")


def covered(url: str) -> int:
    """Every path of the fake was called with success, and nothing that it does not know."""
    routes = {(one["method"], one["template"]) for one in admin(url, "GET", "routes")}
    called = {(one["http_method"], one["template"]) for one in admin(url, "GET", "calls") if one["status"] < 300}
    assert routes <= called, f"never called: {sorted(routes - called)}"
    violations = [one for one in admin(url, "GET", "violations") if "within ten minutes" not in one]
    assert violations == [], violations
    return len(routes)


if __name__ == "__main__":
    # MSAL would rather have the answer by form_post; the connector takes it by query.
    warnings.filterwarnings("ignore", "response_mode='form_post' is recommended")
    asyncio.run(main(sys.argv[1].rstrip("/")))
