/* SPDX-License-Identifier: MIT */
/* A list under a lock, and an eventfd for who sleeps. */
#include "pulse-daemon/service/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum lh_status pulse_mailbox_init(struct pulse_mailbox *box, size_t most, struct lh_error *error)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return lh_error_set(error, LH_ERR_IO, NULL, "no event descriptor: %s", strerror(errno));
    }
    *box = (struct pulse_mailbox){.most = most, .fd = fd};
    box->last = &box->first;
    pthread_mutex_init(&box->lock, NULL);
    return LH_OK;
}

void pulse_mailbox_fini(struct pulse_mailbox *box)
{
    assert(box->first == NULL);
    pthread_mutex_destroy(&box->lock);
    close(box->fd);
}

static void wake(struct pulse_mailbox *box)
{
    uint64_t one = 1;
    (void)!write(box->fd, &one, sizeof one); /* full: it is readable already */
}

bool pulse_mailbox_put(struct pulse_mailbox *box, struct pulse_mail *mail, bool always)
{
    pthread_mutex_lock(&box->lock);
    bool taken = !box->closed && (always || box->count < box->most);
    bool first = taken && box->first == NULL;
    if (taken) {
        mail->next = NULL;
        *box->last = mail;
        box->last = &mail->next;
        box->count++;
    }
    if (first) {
        wake(box);
    }
    pthread_mutex_unlock(&box->lock);
    return taken;
}

struct pulse_mail *pulse_mailbox_take(struct pulse_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    struct pulse_mail *mail = box->first;
    if (mail != NULL) {
        box->first = mail->next;
        box->count--;
        mail->next = NULL;
    }
    if (box->first == NULL) {
        box->last = &box->first;
        uint64_t rung;
        if (!box->closed) {
            (void)!read(box->fd, &rung, sizeof rung); /* whoever puts next rings again */
        }
    }
    pthread_mutex_unlock(&box->lock);
    return mail;
}

void pulse_mailbox_close(struct pulse_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    wake(box);
    pthread_mutex_unlock(&box->lock);
}

bool pulse_mailbox_closed(struct pulse_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    bool closed = box->closed;
    pthread_mutex_unlock(&box->lock);
    return closed;
}

size_t pulse_mailbox_count(struct pulse_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    size_t count = box->count;
    pthread_mutex_unlock(&box->lock);
    return count;
}

void pulse_mailbox_wait(struct pulse_mailbox *box, int fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = box->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    (void)poll(fds, fd >= 0 ? 2 : 1, timeout_ms); /* a signal ends it: the caller looks again anyhow */
}
