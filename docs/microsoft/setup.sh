#!/usr/bin/env bash
# The app registration that Outlook's connectors need, made with az. To run it again is safe: what is there is kept, or set right.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: setup.sh --app-url URL [--console-url URL] [--tenant WHICH] [--scopes TEXT] [--name NAME] [--secret-file FILE] [--dry-run]

  --app-url URL       the stack's parameter AppPublicUrl: Microsoft returns browsers to URL/auth/microsoft/callback
  --console-url URL   the stack's output ConsoleUrl, if it has a console
  --tenant WHICH      whose accounts may connect: common (all), organizations, consumers, or own (this organization's)
  --scopes TEXT       the stack's parameter MicrosoftScopes
  --name NAME         the registration's name (email-connectors), which users see when they consent
  --secret-file FILE  make a client secret for a year, and write it there
  --dry-run           print the requests that would change something; reads are done
TEXT
}

fail() {
  printf 'setup.sh: %s\n' "$1" >&2
  exit 1
}

app_url="" console_url="" tenant="common" name="email-connectors" secret_file="" dry_run=false
scopes="openid profile email offline_access User.Read Mail.ReadWrite Mail.Send"
while [ $# -gt 0 ]; do
  case $1 in
    --app-url | --console-url | --tenant | --scopes | --name | --secret-file)
      [ $# -ge 2 ] || fail "$1 wants a value"
      case $1 in
        --app-url) app_url=$2 ;;
        --console-url) console_url=$2 ;;
        --tenant) tenant=$2 ;;
        --scopes) scopes=$2 ;;
        --name) name=$2 ;;
        --secret-file) secret_file=$2 ;;
      esac
      shift 2
      ;;
    --dry-run) dry_run=true && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && fail "$1 is not known" ;;
  esac
done

# Microsoft takes http for this machine alone.
origin='^(https://[^/[:space:]"'\'']+|http://localhost(:[0-9]+)?)/?$'
[[ $app_url =~ $origin ]] || fail "--app-url must be an https origin, the same as the stack's parameter AppPublicUrl"
[[ -z $console_url || $console_url =~ $origin ]] || fail "--console-url must be an https origin: the stack's output ConsoleUrl"
[[ $scopes =~ ^[A-Za-z_.]+( [A-Za-z_.]+)*$ ]] || fail "--scopes must be names such as Mail.ReadWrite, separated by single spaces"
[[ " $scopes " == *" openid "* && " $scopes " == *" offline_access "* ]] || fail "--scopes must have openid and offline_access among them"
[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9\ ._-]{2,80}$ ]] || fail "--name must be 3 to 80 letters, digits, spaces, dots and dashes"
[[ -z $secret_file || ! -e $secret_file ]] || fail "$secret_file is there already: it may hold the secret that the stack has"
case $tenant in
  common) audience=AzureADandPersonalMicrosoftAccount ;;
  organizations) audience=AzureADMultipleOrgs ;;
  consumers) audience=PersonalMicrosoftAccount ;;
  own) audience=AzureADMyOrg ;;
  *) fail "--tenant must be common, organizations, consumers or own" ;;
esac
command -v az >/dev/null || fail "az is not installed: https://learn.microsoft.com/cli/azure/install-azure-cli"

graph=https://graph.microsoft.com/v1.0
# Microsoft Graph itself, the same in every organization.
graph_app=00000003-0000-0000-c000-000000000000

read_of() {
  az rest --method GET --output tsv "$@" || fail "that may not be read: az login, as someone who may register applications"
}

# Does what changes something, and prints what --query names of the answer.
change() {
  if $dry_run; then
    printf 'would run: az rest' >&3
    printf ' %q' "$@" >&3
    printf '\n' >&3
  else
    az rest --output tsv --headers Content-Type=application/json "$@" || fail "that failed; once it is mended, run this again: it goes on where it ended"
  fi
}
exec 3>&1

own=$(az account show --query tenantId --output tsv) || fail "az knows nobody: az login"

permissions=""
for scope in $scopes; do
  id=$(read_of --url "$graph/servicePrincipals(appId='$graph_app')" --query "oauth2PermissionScopes[?value=='$scope'].id | [0]")
  [[ $id =~ ^[0-9a-f-]{36}$ ]] || fail "Microsoft Graph has no delegated permission $scope"
  permissions+="${permissions:+,}{\"id\":\"$id\",\"type\":\"Scope\"}"
done

found=$(read_of --url "$graph/applications" --url-parameters "\$filter=displayName eq '$name'" --query "value[].appId")
[[ $found != *[[:space:]]* ]] || fail "several registrations are called $name: take another --name, or delete all but one"
kept=""
if [ -n "$found" ]; then
  kept=$(read_of --url "$graph/applications(appId='$found')" --query "web.redirectUris")
fi
uris="" redirects=""
for uri in $kept "${app_url%/}/auth/microsoft/callback" ${console_url:+"${console_url%/}/auth/microsoft/callback"}; do
  if [[ " $uris " != *" $uri "* ]]; then
    uris+=" $uri"
    redirects+="${redirects:+,}\"$uri\""
  fi
done

body="{\"displayName\":\"$name\",\"signInAudience\":\"$audience\",\"api\":{\"requestedAccessTokenVersion\":2},\"web\":{\"redirectUris\":[$redirects]},\"requiredResourceAccess\":[{\"resourceAppId\":\"$graph_app\",\"resourceAccess\":[$permissions]}]}"
# Parameters that a stack has keep their values where they are not named.
overrides=""
if [ -n "$found" ]; then
  change --method PATCH --url "$graph/applications(appId='$found')" --body "$body"
else
  found=$(change --method POST --url "$graph/applications" --body "$body" --query appId)
  # In a dry run none is made.
  found=${found:-CLIENT_ID}
  overrides=" MicrosoftNotificationKey=\"\$(openssl rand -hex 32)\""
fi

if [ -n "$secret_file" ]; then
  ends=$(date -u -d '+365 days' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v +365d +%Y-%m-%dT%H:%M:%SZ)
  made=$(change --method POST --url "$graph/applications(appId='$found')/addPassword" --body "{\"passwordCredential\":{\"displayName\":\"$name\",\"endDateTime\":\"$ends\"}}" --query secretText)
  if ! $dry_run; then
    (umask 077 && printf '%s\n' "$made" >"$secret_file")
    printf 'The client secret ends on %s; it is in %s, and nowhere else.\n' "${ends%T*}" "$secret_file" >&2
  fi
  overrides=" MicrosoftClientSecret=\"\$(cat $secret_file)\"$overrides"
fi
[ "$tenant" != own ] || tenant=$own

cat <<TEXT
sam deploy --parameter-overrides MicrosoftClientId=$found MicrosoftTenant=$tenant MicrosoftScopes="$scopes"$overrides
TEXT
