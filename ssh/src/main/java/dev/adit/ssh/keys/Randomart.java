package dev.adit.ssh.keys;

/**
 * The picture of a fingerprint that ssh shows with VisualHostKey: a bishop starts in the middle of
 * a board and moves diagonally, two bits of the hash a step; a square shows how often he was there.
 */
final class Randomart {
  private static final int WIDTH = 17;
  private static final int HEIGHT = 9;

  /** A square's sign by the number of visits; the busiest squares all look like the last. */
  private static final String VISITS = " .o+=*BOX@%&#/^";

  private static final char START = 'S';
  private static final char END = 'E';

  private Randomart() {}

  static String draw(byte[] digest, String title, String hashName) {
    int[][] visits = new int[HEIGHT][WIDTH];
    int x = WIDTH / 2;
    int y = HEIGHT / 2;
    for (byte b : digest) {
      for (int shift = 0; shift < 8; shift += 2) {
        int move = b >> shift;
        x = Math.clamp(x + ((move & 1) != 0 ? 1 : -1), 0, WIDTH - 1);
        y = Math.clamp(y + ((move & 2) != 0 ? 1 : -1), 0, HEIGHT - 1);
        visits[y][x]++;
      }
    }
    var picture = new StringBuilder(edge(title)).append('\n');
    for (int row = 0; row < HEIGHT; row++) {
      picture.append('|');
      for (int column = 0; column < WIDTH; column++) {
        if (row == y && column == x) {
          picture.append(END);
        } else if (row == HEIGHT / 2 && column == WIDTH / 2) {
          picture.append(START);
        } else {
          picture.append(VISITS.charAt(Math.min(visits[row][column], VISITS.length() - 1)));
        }
      }
      picture.append("|\n");
    }
    return picture.append(edge(hashName)).toString();
  }

  private static String edge(String words) {
    String label = "[" + words + "]";
    int left = (WIDTH - label.length()) / 2;
    int right = WIDTH - label.length() - left;
    return "+" + "-".repeat(left) + label + "-".repeat(right) + "+";
  }
}
