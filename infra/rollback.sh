#!/bin/sh
# Sends every caller back to the version before, at once:
#   infra/rollback.sh FUNCTION [VERSION]
# FUNCTION is the output FunctionName of the stack. Nothing is built or deployed; the table and the secrets are not touched, and the
# version that is left stays. The next deployment makes a new version and moves callers there. Needs the AWS CLI and the rights
# lambda:GetAlias, lambda:ListVersionsByFunction and lambda:UpdateAlias.
set -eu
function=${1:?which function? Its name is the output FunctionName of the stack: infra/rollback.sh FUNCTION [VERSION]}
now=$(aws lambda get-alias --function-name "$function" --name live --query FunctionVersion --output text)
version=${2:-}
if [ -z "$version" ]; then
  for known in $(aws lambda list-versions-by-function --function-name "$function" --query 'Versions[].Version' --output text); do
    case $known in
      *[!0-9]*) continue ;; # $LATEST
    esac
    if [ "$known" -lt "$now" ] && [ "$known" -gt "${version:-0}" ]; then
      version=$known
    fi
  done
fi
if [ -z "$version" ]; then
  echo "there is no version before $now: deploy a commit that worked, or name a version" >&2
  exit 1
fi
# without weights, so that a canary under way ends, too
aws lambda update-alias --function-name "$function" --name live --function-version "$version" \
  --routing-config AdditionalVersionWeights={} --output text --query FunctionVersion >/dev/null
echo "callers of $function are back at version $version; they were at $now"
