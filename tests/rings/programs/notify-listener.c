// Listens where a service manager would, and prints what it is told: one line for each datagram.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2 || strlen(arguments[1]) >= sizeof address.sun_path) return 64;
  strcpy(address.sun_path, arguments[1]);
  int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (receiver < 0 || bind(receiver, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  puts("listening");
  fflush(stdout);
  char text[4096];
  for (;;) {
    ssize_t length = recv(receiver, text, sizeof text - 1, 0);
    if (length < 0) return 1;
    text[length] = 0;
    for (char *at = text; *at != 0; at += 1) if (*at == '\n') *at = ' ';
    puts(text);
    fflush(stdout);
  }
}
