/* Speaks MQTT 3.1.1 fast enough that the broker, or what stands behind it, is the limit.
 *
 *   load publish PORT FILE CONNECTIONS RATE [SENT]   packets of FILE, QoS 1; RATE 0: as fast as it goes
 *   load count PORT FILTER QOS NUMBER                until NUMBER messages came; the raw subscriber
 *   load acks PORT SEQ DEVICES                       until so many devices are acked up to SEQ
 *
 * FILE holds whole PUBLISH packets, one after the other; packet i goes out on connection
 * i % CONNECTIONS, its packet identifier is filled in here. SENT receives one double for each
 * packet: when it was handed to the kernel. Each mode prints "ready" once connected, and when it is
 * done "FIRST LAST NUMBER": two times of CLOCK_MONOTONIC in seconds, and how many.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 1000, BUFFER = 1 << 18, CHUNK = 1 << 15, LONGEST_WAIT_MS = 60000 };

typedef struct {
    int socket;
    uint8_t in[BUFFER], out[BUFFER];
    size_t held, waiting; /* bytes in `in` and `out` */
    long next, unacked;   /* publish: the next packet's number, and how many lack their PUBACK */
} Connection;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void flush(Connection *c) {
    ssize_t n = c->waiting ? send(c->socket, c->out, c->waiting, MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN) fail("send");
    if (n > 0) memmove(c->out, c->out + n, c->waiting -= n);
}

static void put(Connection *c, const void *bytes, size_t length) {
    if (c->waiting + length > BUFFER) fail("buffer");
    memcpy(c->out + c->waiting, bytes, length);
    c->waiting += length;
}

static void hear(Connection *c) {
    ssize_t n = recv(c->socket, c->in + c->held, BUFFER - c->held, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) fail("the broker closed the connection");
    if (n > 0) c->held += n;
}

/* The length of the packet at p, 0 while it is not whole; *body is where its variable part begins. */
static size_t packet(const uint8_t *p, size_t held, size_t *body) {
    size_t length = 0, at = 1;
    for (int shift = 0; at < held && at <= 4; shift += 7) {
        length |= (size_t)(p[at] & 127) << shift;
        if (!(p[at++] & 128)) {
            *body = at;
            return at + length <= held ? at + length : 0;
        }
    }
    return 0;
}

static void await(Connection *c, uint8_t kind) {
    size_t body, length;
    for (;;) {
        if ((length = packet(c->in, c->held, &body))) {
            uint8_t got = c->in[0];
            memmove(c->in, c->in + length, c->held -= length);
            if (got == kind) return;
            continue;
        }
        struct pollfd p = {c->socket, POLLIN, 0};
        if (poll(&p, 1, 10000) != 1) fail("no answer");
        hear(c);
    }
}

static Connection *connected(int port, const char *name) {
    Connection *c = calloc(1, sizeof *c);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, length = strlen(name);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->socket, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    uint8_t hello[] = {0x10, 12 + length, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, length};
    put(c, hello, sizeof hello);
    put(c, name, length);
    flush(c);
    await(c, 0x20);
    return c;
}

static void subscribe(Connection *c, const char *filter, int qos) {
    uint8_t length = strlen(filter), level = qos;
    uint8_t head[] = {0x82, 5 + length, 0, 1, 0, length};
    put(c, head, sizeof head);
    put(c, filter, length);
    put(c, &level, 1);
    flush(c);
    await(c, 0x90);
}

static void ready(void) {
    puts("ready");
    fflush(stdout);
}

static void done(double first, double last, long number) {
    printf("%.6f %.6f %ld\n", first, last, number);
    fflush(stdout);
}

/* Publish ------------------------------------------------------------------------------------- */

static uint8_t **packets;
static size_t *lengths;
static double *sent;
static long total;

static void load_file(const char *path) {
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status)) fail(path);
    uint8_t *p = mmap(0, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    uint8_t *end = p + status.st_size;
    size_t room = 0, body;
    while (p < end) {
        if ((size_t)total == room) {
            room = room ? room * 2 : 1 << 16;
            packets = realloc(packets, room * sizeof *packets);
            lengths = realloc(lengths, room * sizeof *lengths);
        }
        packets[total] = p;
        if (!(lengths[total] = packet(p, end - p, &body))) fail("the file ends in a packet");
        size_t topic = p[body] << 8 | p[body + 1];
        uint16_t mid = htons(total % 65535 + 1);
        memcpy(p + body + 2 + topic, &mid, 2);
        p += lengths[total++];
    }
    sent = calloc(total, sizeof *sent);
}

static void feed(Connection *c, long step, double begun, double rate) {
    double t = now();
    while (c->next < total && c->unacked < WINDOW && c->waiting < CHUNK) {
        if (rate > 0 && begun + c->next / rate > t) return;
        put(c, packets[c->next], lengths[c->next]);
        sent[c->next] = t;
        c->next += step;
        c->unacked++;
    }
}

static void take_pubacks(Connection *c) {
    size_t at = 0, length, body;
    while ((length = packet(c->in + at, c->held - at, &body))) {
        if (c->in[at] == 0x40) c->unacked--;
        at += length;
    }
    memmove(c->in, c->in + at, c->held -= at);
}

static void publish(int port, const char *path, int connections, double rate, const char *times) {
    load_file(path);
    Connection **all = calloc(connections, sizeof *all);
    struct pollfd *watched = calloc(connections, sizeof *watched);
    for (int i = 0; i < connections; i++) {
        char name[24];
        sprintf(name, "load-%d-%d", (int)getpid() % 100000, i);
        all[i] = connected(port, name);
        all[i]->next = i;
    }
    ready();
    getchar(); /* the starter says when */
    double begun = now();
    for (int busy = 1; busy;) {
        busy = 0;
        for (int i = 0; i < connections; i++) {
            Connection *c = all[i];
            feed(c, connections, begun, rate);
            flush(c);
            busy |= c->next < total || c->unacked || c->waiting;
            watched[i] = (struct pollfd){c->socket, POLLIN | (c->waiting ? POLLOUT : 0), 0};
        }
        struct timespec wait = {rate > 0 ? 0 : 1, rate > 0 ? 200000 : 0};
        if (busy && ppoll(watched, connections, &wait, 0) > 0)
            for (int i = 0; i < connections; i++)
                if (watched[i].revents & (POLLIN | POLLHUP)) hear(all[i]), take_pubacks(all[i]);
    }
    if (times) {
        FILE *file = fopen(times, "wb");
        if (!file || fwrite(sent, sizeof *sent, total, file) != (size_t)total) fail(times);
        fclose(file);
    }
    done(begun, now(), total);
}

/* Subscribe ----------------------------------------------------------------------------------- */

static long seq_wanted, devices_wanted, devices_there;
static char (*there)[20];

/* Notes a device whose ack reached the wanted seq; its id is the topic's third level. */
static void note_ack(const uint8_t *topic, const uint8_t *said, size_t length) {
    const char *seq = memmem(said, length, "\"seq\":", 6);
    char device[20] = {0};
    if (!seq || atol(seq + 6) < seq_wanted) return;
    sscanf((const char *)topic + 8, "%16[a-z2-7]", device);
    size_t slot = 0;
    for (const char *p = device; *p; p++) slot = slot * 131 + *p;
    for (slot %= 65536; there[slot][0]; slot = (slot + 1) % 65536)
        if (!strcmp(there[slot], device)) return;
    strcpy(there[slot], device);
    devices_there++;
}

static long take_messages(Connection *c) {
    size_t at = 0, length, body;
    long number = 0;
    while ((length = packet(c->in + at, c->held - at, &body))) {
        const uint8_t *p = c->in + at;
        if ((p[0] & 0xf0) == 0x30) {
            size_t topic = p[body] << 8 | p[body + 1];
            const uint8_t *after = p + body + 2 + topic;
            uint8_t puback[] = {0x40, 2, after[0], after[1]};
            if (p[0] & 6) put(c, puback, 4);
            if (devices_wanted) note_ack(p + body + 2, after, p + length - after);
            number++;
        }
        at += length;
    }
    memmove(c->in, c->in + at, c->held -= at);
    return number;
}

static void follow(Connection *c, long number) {
    double first = 0, last = 0;
    long heard = 0;
    ready();
    while (number ? heard < number : devices_there < devices_wanted) {
        struct pollfd p = {c->socket, POLLIN | (c->waiting ? POLLOUT : 0), 0};
        if (poll(&p, 1, LONGEST_WAIT_MS) <= 0) {
            fprintf(stderr, "load: nothing came for %d s; %ld messages, %ld devices so far\n",
                    LONGEST_WAIT_MS / 1000, heard, devices_there);
            exit(1);
        }
        if (p.revents & (POLLIN | POLLHUP)) hear(c);
        long came = take_messages(c);
        last = now();
        if (came && !heard) first = last;
        heard += came;
        flush(c);
    }
    done(first, last, heard);
}

int main(int count, char **word) {
    int port = count > 3 ? atoi(word[2]) : 0;
    char name[24];
    sprintf(name, "hear-%d", (int)getpid() % 100000);
    if (count > 5 && !strcmp(word[1], "publish")) {
        publish(port, word[3], atoi(word[4]), atof(word[5]), count > 6 ? word[6] : 0);
    } else if (count == 6 && !strcmp(word[1], "count")) {
        Connection *c = connected(port, name);
        subscribe(c, word[3], atoi(word[4]));
        follow(c, atol(word[5]));
    } else if (count == 5 && !strcmp(word[1], "acks")) {
        seq_wanted = atol(word[3]);
        devices_wanted = atol(word[4]);
        there = calloc(65536, sizeof *there);
        Connection *c = connected(port, name);
        subscribe(c, "noria/1/+/ack", 0);
        follow(c, 0);
    } else {
        fprintf(stderr, "usage: see the head of load.c\n");
        return 2;
    }
    return 0;
}
