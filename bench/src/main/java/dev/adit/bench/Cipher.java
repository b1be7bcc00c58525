package dev.adit.bench;

/** What protects the packets, by the names of the protocol. */
enum Cipher {
  AES128_GCM("aes128-gcm", "aes128-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"),
  CHACHA20("chacha20-poly1305", "chacha20-poly1305@openssh.com", "hmac-sha2-256-etm@openssh.com"),
  AES128_CTR("aes128-ctr + hmac-sha2-256-etm", "aes128-ctr", "hmac-sha2-256-etm@openssh.com");

  private final String title;
  private final String sshName;
  private final String mac;

  Cipher(String title, String sshName, String mac) {
    this.title = title;
    this.sshName = sshName;
    this.mac = mac;
  }

  String sshName() {
    return sshName;
  }

  /** Beside an AEAD it has no effect. */
  String mac() {
    return mac;
  }

  @Override
  public String toString() {
    return title;
  }
}
