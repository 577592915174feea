#!/usr/bin/env bash
# What Gmail needs to notify the email connectors, made with gcloud. To run it again is safe: what is there is kept, or set right.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: setup.sh --project ID --audience TEXT [--push-endpoint URL] [--name NAME] [--dry-run]

  --project ID          the project that holds the OAuth client: Gmail publishes only to a topic of that project
  --audience TEXT       what the pushes' tokens are for: the stack's parameter PubSubAudience, a text that only you use
  --push-endpoint URL   the stack's output PubSubPushEndpoint; without it all is made but the push subscription
  --name NAME           name of topic and subscription (gmail); NAME-dead-letters is what is refused, NAME-push the account that signs
  --dry-run             print the commands that would change something; reads are done
TEXT
}

fail() {
  printf 'setup.sh: %s\n' "$1" >&2
  exit 1
}

project="" audience="" endpoint="" name="gmail" dry_run=false
while [ $# -gt 0 ]; do
  case $1 in
    --project | --audience | --push-endpoint | --name)
      [ $# -ge 2 ] || fail "$1 wants a value"
      case $1 in
        --project) project=$2 ;;
        --audience) audience=$2 ;;
        --push-endpoint) endpoint=$2 ;;
        --name) name=$2 ;;
      esac
      shift 2
      ;;
    --dry-run) dry_run=true && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && fail "$1 is not known" ;;
  esac
done

[[ $project =~ ^[a-z][a-z0-9-]{4,28}[a-z0-9]$ ]] || fail "--project must be a project's id, such as my-project-123, and neither its name nor its number"
[[ $audience =~ ^[^[:space:]\"\']+$ ]] || fail "--audience must be a text without spaces and quotes, the same as the stack's parameter PubSubAudience"
[[ -z $endpoint || $endpoint =~ ^https://[^/[:space:]]+/[^[:space:]]*$ ]] || fail "--push-endpoint must be an https URL with a path: the stack's output PubSubPushEndpoint"
[[ $name =~ ^[a-z][a-z0-9-]{2,24}$ ]] || fail "--name must be 3 to 25 lower-case letters, digits and dashes, a letter first: it is part of an account's id"
command -v gcloud >/dev/null || fail "gcloud is not installed: https://cloud.google.com/sdk/docs/install"

# A question would wait for nobody.
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

# Does what changes something; what gcloud tells of it goes to standard error.
change() {
  if $dry_run; then
    printf 'would run: gcloud'
    printf ' %q' "$@"
    printf '\n'
  else
    printf 'gcloud %s\n' "$*" >&2
    gcloud "$@" >&2 || fail "that failed; once it is mended, run this again: it goes on where it ended"
  fi
}

# Whether something is there. Whoever may not ask must not take it for absent.
there() {
  local told
  if told=$(gcloud "$@" 2>&1 >/dev/null); then return 0; fi
  case $told in
    *NOT_FOUND* | *"not found"*) return 1 ;;
    # In a dry run the APIs may still be off.
    *SERVICE_DISABLED* | *"has not been used in project"*) if $dry_run; then return 1; fi ;;
  esac
  fail "gcloud $*: $told"
}

number=$(gcloud projects describe "$project" --format='value(projectNumber)') || fail "the project $project cannot be read: gcloud auth login, or another --project"
[[ $number =~ ^[0-9]+$ ]] || fail "the project $project tells no number"

in_project=(--project="$project")
agent="serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com"
account="$name-push@$project.iam.gserviceaccount.com"
topic="projects/$project/topics/$name"
subscription="projects/$project/subscriptions/$name"
dead="$name-dead-letters"

change services enable gmail.googleapis.com pubsub.googleapis.com iam.googleapis.com "${in_project[@]}"
# Pub/Sub's own account signs the pushes' tokens and moves what is refused; a new project does not have it yet.
change beta services identity create --service=pubsub.googleapis.com "${in_project[@]}"

if ! there iam service-accounts describe "$account" "${in_project[@]}"; then
  change iam service-accounts create "$name-push" --display-name="Signs the pushes to the email connectors" "${in_project[@]}"
fi
change iam service-accounts add-iam-policy-binding "$account" --member="$agent" --role=roles/iam.serviceAccountTokenCreator "${in_project[@]}"

if ! there pubsub topics describe "$name" "${in_project[@]}"; then
  change pubsub topics create "$name" "${in_project[@]}"
fi
# Refused with "domain restricted sharing"? See "An organization that shares within its domains" in README.md.
change pubsub topics add-iam-policy-binding "$name" --member=serviceAccount:gmail-api-push@system.gserviceaccount.com --role=roles/pubsub.publisher "${in_project[@]}"

if ! there pubsub topics describe "$dead" "${in_project[@]}"; then
  change pubsub topics create "$dead" "${in_project[@]}"
fi
change pubsub topics add-iam-policy-binding "$dead" --member="$agent" --role=roles/pubsub.publisher "${in_project[@]}"
# Without a subscription what comes to a topic is gone.
if ! there pubsub subscriptions describe "$dead" "${in_project[@]}"; then
  change pubsub subscriptions create "$dead" --topic="$dead" --expiration-period=never --message-retention-duration=7d "${in_project[@]}"
fi

if [ -n "$endpoint" ]; then
  properties=(
    --push-endpoint="$endpoint" --push-auth-service-account="$account" --push-auth-token-audience="$audience"
    --ack-deadline=30 --message-retention-duration=7d --expiration-period=never
    --min-retry-delay=10s --max-retry-delay=600s
    --dead-letter-topic="projects/$project/topics/$dead" --max-delivery-attempts=100
  )
  if there pubsub subscriptions describe "$name" "${in_project[@]}"; then
    hears=$(gcloud pubsub subscriptions describe "$name" --format='value(topic)' "${in_project[@]}")
    [ "$hears" = "$topic" ] || fail "the subscription $name is there, but hears $hears, which cannot be changed: delete it, or take another --name"
    change pubsub subscriptions update "$name" "${properties[@]}" "${in_project[@]}"
  else
    change pubsub subscriptions create "$name" --topic="$topic" "${properties[@]}" "${in_project[@]}"
  fi
  change pubsub subscriptions add-iam-policy-binding "$name" --member="$agent" --role=roles/pubsub.subscriber "${in_project[@]}"
else
  printf 'The push subscription is still to be made: deploy the stack, then run this again with --push-endpoint.\n' >&2
fi

cat <<TEXT
sam deploy --parameter-overrides PubSubTopic=$topic PubSubSubscription=$subscription PubSubAudience=$audience PubSubServiceAccount=$account
TEXT
