# Part of run.sh: time and memory against cases, hosts and steps, on a host that does nothing; a table and a plot.

cargo build --quiet --release --locked --benches
program=$(find target/release/deps -maxdepth 1 -name 'growth-*' -type f -executable -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
"$program" "$runs" >"$out/growth.tsv"
heading "Growth, on a host that does nothing" against cases hosts steps wall "of which planning" running "report" CPU "peak memory"
tail -n +2 "$out/growth.tsv" | while IFS=$'\t' read -r what cases hosts steps wall plan run report cpu peak; do
    row "$what" "$cases" "$hosts" "$steps" "$wall s" "$plan s" "$run s" "$report s" "$cpu s" "$peak MB"
done
gnuplot -e "table='$out/growth.tsv'; svg='$out/growth.svg'" "$suite/growth.gnuplot"
say
say "plot: target/bench/growth.svg"
