#!/usr/bin/env bash
# infra/rollback.sh STAGE            lists the last deployments, newest first, with the commit of each; changes nothing
# infra/rollback.sh STAGE REVISION   runs that one again and waits until its tasks are stable
# infra/rollback.sh STAGE previous   the same with the one before the running one
# Needs the AWS CLI and credentials for the stage's account; AWS_REGION or the profile names the region.
set -euo pipefail

usage() {
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
}
[ $# -ge 1 ] && [ $# -le 2 ] || usage
stage=$1 wanted=${2:-}
[[ $wanted =~ ^([1-9][0-9]*|previous)?$ ]] || usage
command -v aws >/dev/null || { echo 'The AWS CLI (aws) is not installed.' >&2; exit 1; }

output_of() { # output_of NAME: an output of the stack
  aws cloudformation describe-stacks --stack-name "admin-service-$stage" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}
commit_of() { # commit_of FAMILY:REVISION
  aws ecs describe-task-definition --task-definition "$1" \
    --query 'taskDefinition.containerDefinitions[0].dockerLabels."org.opencontainers.image.revision"' --output text
}

cluster=$(output_of Cluster)
service=$(output_of Service)
running=$(aws ecs describe-services --cluster "$cluster" --services "$service" \
  --query 'services[0].taskDefinition' --output text)
running=${running##*/}
family=${running%:*}
revisions=$(aws ecs list-task-definitions --family-prefix "$family" --status ACTIVE --sort DESC --max-items 10 \
  --query 'taskDefinitionArns[]' --output text | tr '\t' '\n' | sed -n 's|.*:||p')

if [ -z "$wanted" ]; then
  for revision in $revisions; do
    echo "$revision  $(commit_of "$family:$revision")$([ "$family:$revision" = "$running" ] && echo '  (runs now)' || true)"
  done
  exit
fi
if [ "$wanted" = previous ]; then
  wanted=$(for revision in $revisions; do [ "$revision" -lt "${running##*:}" ] && echo "$revision"; done | head -1 || true)
  [ -n "$wanted" ] || { echo "There is no deployment before $running." >&2; exit 1; }
fi
grep -qx "$wanted" <<<"$revisions" || { echo "$family has no active revision $wanted." >&2; exit 1; }
[ "$family:$wanted" != "$running" ] || { echo "Revision $wanted runs already." >&2; exit 1; }

echo "Rolling back from $running to $family:$wanted, commit $(commit_of "$family:$wanted")"
aws ecs update-service --cluster "$cluster" --service "$service" --task-definition "$family:$wanted" \
  --query 'service.deployments[0].rolloutState' --output text
aws ecs wait services-stable --cluster "$cluster" --services "$service"
echo 'Stable. Revert the commit too: the next deployment would deploy it again.'
