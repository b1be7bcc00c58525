/** Side-by-side benchmarks. */
module dev.adit.bench {
  requires dev.adit.ssh;
  requires static org.jspecify;
}
