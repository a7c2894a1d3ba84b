#!/usr/bin/env bash
# infra/ops.sh STAGE COMMAND [ARGUMENT...]: runs `node dist/ops.js COMMAND …` in a task inside the network and prints its output.
# infra/ops.sh prod --help lists the commands. A task takes about half a minute to start.
# Needs the AWS CLI and credentials for the stage's account; AWS_REGION or the profile names the region.
set -euo pipefail

usage() {
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
}
[ $# -ge 2 ] || usage
stage=$1
shift
command='"node", "dist/ops.js"'
for argument in "$@"; do
  [[ $argument =~ ^[A-Za-z0-9/_.-]+$ ]] || usage
  command+=", \"$argument\""
done
command -v aws >/dev/null || { echo 'The AWS CLI (aws) is not installed.' >&2; exit 1; }

output_of() { # output_of NAME: an output of the stack
  aws cloudformation describe-stacks --stack-name "admin-service-$stage" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}
cluster=$(output_of Cluster)
task=$(aws ecs run-task --cluster "$cluster" --task-definition "$(output_of OperatorTask)" --launch-type FARGATE \
  --network-configuration "$(output_of TaskNetwork)" \
  --overrides "{\"containerOverrides\": [{\"name\": \"operator\", \"command\": [$command]}]}" \
  --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
# Each line is an event of its own; the stream is missing if the task could not start.
aws logs get-log-events --log-group-name "$(output_of LogGroup)" --log-stream-name "operator/operator/${task##*/}" \
  --start-from-head --query 'events[].[message]' --output text || true
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
[[ $code =~ ^[0-9]+$ ]] || {
  aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].stoppedReason' --output text >&2
  exit 1
}
exit "$code"
