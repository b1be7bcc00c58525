/** Side-by-side benchmarks. */
module dev.adit.bench {
  requires static org.jspecify;
}
