import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.FileWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One server of a proxy herd in plain Java: a thread for each connection, a concurrent map, exact
 * decimals, a log that is flushed five times a second. Written for the benchmark; run by
 * `java HerdLines.java NAME PORT LOGFILE`.
 */
public final class HerdLines {
  private static final Pattern LOCATION =
      Pattern.compile("([+-]\\d{1,2}(?:\\.\\d+)?)([+-]\\d{1,3}(?:\\.\\d+)?)");
  private static final Pattern BLANKS = Pattern.compile("\\s+");

  private record Place(BigDecimal seconds, double latitude, double longitude, String message) {}

  private static final ConcurrentHashMap<String, Place> CLIENTS = new ConcurrentHashMap<>();
  private static String name;
  private static BufferedWriter log;

  public static void main(String[] words) throws IOException {
    name = words[0];
    log = new BufferedWriter(new FileWriter(words[2], true), 1 << 16);
    new Timer(true).schedule(new TimerTask() {
      @Override public void run() {
        synchronized (log) {
          try { log.flush(); } catch (IOException gone) { /* the disk is full: nothing to tell it to */ }
        }
      }
    }, 200, 200);
    var server = new ServerSocket(Integer.parseInt(words[1]), 1024, InetAddress.getLoopbackAddress());
    for (;;) {
      Socket socket = server.accept();
      socket.setTcpNoDelay(true);
      var thread = new Thread(() -> serve(socket));
      thread.setDaemon(true);
      thread.start();
    }
  }

  private static void serve(Socket socket) {
    try (socket) {
      var lines = new BufferedReader(
          new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      OutputStream out = socket.getOutputStream();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        note("in ", line);
        String reply = answer(line);
        note("out ", reply);
        out.write((reply + "\n").getBytes(StandardCharsets.ISO_8859_1));
      }
    } catch (IOException gone) {
      // The client has gone.
    }
  }

  private static String answer(String line) {
    String[] words = BLANKS.split(line.strip());
    if (words.length != 4 || !words[0].equals("IAMAT")) return "? " + line;
    Matcher place = LOCATION.matcher(words[2]);
    if (!place.matches()) return "? " + line;
    double latitude = Double.parseDouble(place.group(1));
    double longitude = Double.parseDouble(place.group(2));
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return "? " + line;
    BigDecimal seconds;
    try {
      seconds = new BigDecimal(words[3]);
    } catch (NumberFormatException wrong) {
      return "? " + line;
    }
    Instant now = Instant.now();
    BigDecimal clock = BigDecimal.valueOf(now.getEpochSecond()).add(BigDecimal.valueOf(now.getNano(), 9));
    BigDecimal difference = clock.subtract(seconds).setScale(9, java.math.RoundingMode.DOWN);
    String sign = difference.signum() < 0 ? "" : "+";
    String reply = "AT " + name + " " + sign + difference.toPlainString() + " " + words[1] + " "
        + words[2] + " " + words[3];
    var found = new Place(seconds, latitude, longitude, reply);
    CLIENTS.merge(words[1], found,
        (known, next) -> next.seconds().compareTo(known.seconds()) > 0 ? next : known);
    return reply;
  }

  private static void note(String what, String text) throws IOException {
    String time = Instant.now().toString();
    synchronized (log) {
      log.write(time + " " + what + text + "\n");
    }
  }
}
