#!/bin/sh
# The reports of the Jobs of jobs.yaml, from the logs of their pods: collect.sh FOLDER. UNTESTED ON A CLUSTER.
# Pods that failed are passed over: Kubernetes has another one for their share, or `sdc-engine merge` says that it is missing.
set -eu

folder=${1:?a folder}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
for pod in $(kubectl get pods --selector app=sdc-engine --field-selector status.phase=Succeeded \
    --output 'jsonpath={.items[*].metadata.name}'); do
    kubectl logs "$pod" | "$here/../unpack.sh" "$folder/$pod.json" || echo "collect.sh: the report of $pod is lost" >&2
done
