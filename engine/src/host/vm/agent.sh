# Answers on the guest's second serial port: what this machine is, and orders to it. A line each way; every answer ends
# with "==> end <==".
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1

while read -r order argument; do
    case $order in
        machine) look "$(systemctl show --property=MainPID --value sdc-engine-engine.service)" ;;
        # A restored machine's clock stands where it was saved.
        clock) date -u -s "@$argument" >/dev/null ;;
        *) echo "no such order: $order" ;;
    esac
    echo "==> end <=="
done
