# growth.tsv as a plot: gnuplot -e "table='growth.tsv'; svg='growth.svg'" growth.gnuplot
set terminal svg size 960,640 background '#ffffff' font 'sans-serif,13'
set output svg
set datafile separator tab
set multiplot layout 2,3 title 'What a run costs sdc-engine itself, on a host that does nothing (medians)'
set grid
set key off
rows(what) = sprintf('< grep "^%s	" "%s"', what, table)

set style line 1 lc rgb '#1f6feb' lw 2 pt 7 ps 0.7
set style line 2 lc rgb '#bc4c00' lw 2 pt 7 ps 0.7

set logscale xy
set xlabel 'cases (1 host, 1 step)'
set ylabel 'wall, s'
plot rows('cases') using 2:5 with linespoints ls 1
unset logscale
set yrange [0:*]
set xlabel 'hosts (1,000 cases each)'
plot rows('hosts') using 3:5 with linespoints ls 1
set xlabel 'steps (1,000 cases)'
plot rows('steps') using 4:5 with linespoints ls 1

set ylabel 'peak memory, MB'
set yrange [*:*]
set logscale xy
set xlabel 'cases (1 host, 1 step)'
plot rows('cases') using 2:10 with linespoints ls 2
unset logscale
set yrange [0:*]
set xlabel 'hosts (1,000 cases each)'
plot rows('hosts') using 3:10 with linespoints ls 2
set xlabel 'steps (1,000 cases)'
plot rows('steps') using 4:10 with linespoints ls 2
unset multiplot
