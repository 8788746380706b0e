/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The relay on a stage: its socket, its clock and its PAM conversation are ours, so nothing waits
 * and nothing is random. Standard input has scenarios, standard output what the host got to see
 * (relay_harness_test.go has both formats). One process plays them all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <security/pam_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "../door.h"

enum { END_OF_FILE, SILENCE, READ_ERROR, RESET };
enum { ENTER, NOTHING, NAME, PASSWORD, AT_ONCE_AGAIN, AHEAD };	/* answers */
enum { TYPES, FAILS, FAILS_OTHERWISE, NO_ANSWER };		/* to a question */
/* What the worker does with a reply. */
enum { HEARS, HAS_GONE, HAS_DIED, IS_FULL, HEARS_HALF };

/* One scenario: the worker's bytes, how they come, and what the person does. */
static struct {
	uint8_t end;		/* what comes after the bytes */
	uint8_t chunk;		/* so many at a time; 0: all there are */
	uint8_t interrupted;	/* signals interrupt wait and read, now and then */
	uint8_t conversation;	/* its result */
	uint8_t answer;		/* its answer */
	uint8_t user_prompt;	/* the host has set PAM_USER_PROMPT */
	uint8_t sshd;		/* the host is sshd */
	uint8_t hears;		/* what the worker does with a reply */
	uint32_t takes;		/* seconds until the person presses ENTER */
	uint32_t length;
	uint32_t answers;	/* bytes */
} play;
static char *bytes, *typed;

/*
 * Answers to questions, one after the other and then over again: one of the enum, the seconds that
 * it takes, two bytes of length, and the text.
 */
static uint8_t *answers;
static size_t next;
static enum { NOT_ASKED, ASKED, ANSWERED } question_now;
static size_t at;
static int64_t clock_ms;
static unsigned calls, prompts;
static int caught;	/* aad_catch_signals without aad_restore_signals */

static void __attribute__((noreturn)) wrong(const char *what)
{
	fprintf(stderr, "relay: %s\n", what);
	abort();
}

static int interrupt(void)
{
	++calls;
	if (!play.interrupted || (calls % 5 && calls % 5 != 3))
		return 0;
	errno = EINTR;
	return 1;
}

static char kept[2 * AAD_FRAME_MAX];

int aad_in_sshd(void)
{
	return play.sshd;
}
void aad_keep_said(const char *text)
{
	strcpy(kept, text);
}

int aad_client(const char *rhost)
{
	return rhost ? 8 : 9;
}

static int stage_wait(int fd, int client, int timeout)
{
	if (fd != 7 || client != 9)
		wrong("waits for something else");
	if (timeout < 0)
		wrong("would wait for ever");
	if (!caught)
		wrong("a signal would end the host without a line");
	if (interrupt())
		return -1;
	if (at == play.length && play.end == SILENCE) {
		clock_ms += timeout;
		return 0;
	}
	return 1;
}

static ssize_t fail_with(int error)
{
	errno = error;
	return -1;
}

static ssize_t stage_read(int fd, void *to, size_t n)
{
	if (fd != 7 || n == 0)
		wrong("reads something else");
	if (interrupt())
		return -1;
	if (at == play.length && play.end == SILENCE)
		wrong("reads where nothing is");
	if (at == play.length && play.end == READ_ERROR)
		return fail_with(EIO);
	if (at == play.length && play.end == RESET)
		return fail_with(ECONNRESET);
	if (play.chunk && n > play.chunk)
		n = play.chunk;
	if (n > play.length - at)
		n = play.length - at;
	memcpy(to, bytes + at, n);
	at += n;
	return (ssize_t)n;
}

static int stage_clock(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_MONOTONIC)
		wrong("goes by a clock that can be set");
	t->tv_sec = clock_ms / 1000;
	t->tv_nsec = clock_ms % 1000 * 1000000;
	return 0;
}

static const char secret[] = "a password, typed by mistake";
static size_t typed_size;
static const char *user_prompt;

static void stage_free(void *p)
{
	if (p != typed)
		wrong("frees something else");
	for (size_t i = 0; i < typed_size; i++)
		if (typed[i])
			wrong("what was typed is not wiped");
	free(p);
	typed = NULL;
}

static void put(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		exit(1);
}

static void put_event(char kind, const void *text, uint32_t length)
{
	put(&kind, 1);
	put(&length, sizeof length);
	put(text, length);
}

static void event(char kind, int first, const char *format, va_list args)
{
	static char text[2 * AAD_FRAME_MAX];
	uint32_t length = 0;

	if (first >= 0)
		text[length++] = (char)first;
	if (format)
		length += (uint32_t)vsnprintf(text + length, sizeof text - length, format, args);
	if (length >= sizeof text)
		wrong("an over-long text");
	put_event(kind, text, length);
}

int pam_get_item(const pam_handle_t *h, int which, const void **value)
{
	(void)h;
	switch (which) {
	case PAM_USER:
		*value = "a";
		break;
	case PAM_AUTHTOK:
		*value = play.answer == PASSWORD ? "of the host" : NULL;
		break;
	case PAM_USER_PROMPT:
		*value = user_prompt;
		break;
	default:
		wrong("looks at another item");
	}
	return PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *h, int which, const void *value)
{
	(void)h;
	if (which != PAM_USER_PROMPT)
		wrong("sets another item");
	user_prompt = value;
	return PAM_SUCCESS;
}

/* A person takes some time to type, but may have pressed ENTER before. */
static const char *answer(void)
{
	static const char *const at_once[] = {
		[NAME] = "a", [PASSWORD] = "of the host", [AT_ONCE_AGAIN] = "x", [AHEAD] = "y",
	};

	prompts++;
	if (play.answer == NOTHING)
		return NULL;
	if (play.answer == AT_ONCE_AGAIN || (play.answer == AHEAD && prompts == 1))
		return at_once[play.answer];
	clock_ms += (int64_t)play.takes * 1000;
	if (play.answer == NAME || play.answer == PASSWORD)
		return at_once[play.answer];
	return play.takes ? secret : "";
}

static void type(char **response, const void *text, size_t n)
{
	if (typed)
		wrong("what was typed before is not freed");
	typed_size = n + 1;
	if (!(typed = malloc(typed_size)))
		exit(1);
	memcpy(typed, text, n);
	typed[n] = 0;
	*response = typed;
}

static int answer_question(char **response)
{
	const uint8_t *a = answers + next;
	size_t n = a[2] | (size_t)a[3] << 8;

	next += 4 + n;
	if (next >= play.answers)
		next = 0;
	clock_ms += a[1] * 1000;
	switch (a[0]) {
	case TYPES:
		type(response, a + 4, n);
		return PAM_SUCCESS;
	/* Hosts do not, but libpam would pass it on. */
	case FAILS:
		type(response, "half of it", 10);
		return PAM_CONV_ERR;
	case FAILS_OTHERWISE:
		return PAM_MAXTRIES;
	default:
		return PAM_SUCCESS;
	}
}

/* The kind of the event for a message of this style. */
static char kind(int style)
{
	if (style == PAM_ERROR_MSG)
		return 'E';
	if (question_now != ASKED)
		return 'P';
	return style == PAM_PROMPT_ECHO_ON ? 'V' : 'H';
}

int pam_prompt(pam_handle_t *h, int style, char **response, const char *format, ...)
{
	const char *said;
	va_list args;

	(void)h;
	if (style != PAM_PROMPT_ECHO_ON && style != PAM_PROMPT_ECHO_OFF &&
	    (style != PAM_ERROR_MSG || response))
		wrong("a message of another style");
	va_start(args, format);
	event(kind(style), -1, format, args);
	va_end(args);
	errno = EBADF;	/* conversations do */
	if (style == PAM_ERROR_MSG)
		return PAM_SUCCESS;
	if (!caught)
		wrong("a signal would end the host without a line");
	if (!user_prompt)
		wrong("a host that compares with PAM_USER_PROMPT would crash");
	if (question_now == ASKED)
		return answer_question(response);
	if (style != PAM_PROMPT_ECHO_ON)
		wrong("ENTER without echo, which sshd presses by itself");
	said = answer();
	if (play.conversation == PAM_SUCCESS && said)
		type(response, said, strlen(said));
	return play.conversation;
}

void pam_syslog(const pam_handle_t *h, int priority, const char *format, ...)
{
	va_list args;

	(void)h;
	va_start(args, format);
	event('L', priority, format, args);
	va_end(args);
}

void aad_catch_signals(const struct aad_request *req, struct sigaction before[AAD_DEADLY])
{
	(void)req;
	memset(before, 0, AAD_DEADLY * sizeof *before);
	caught++;
}

void aad_restore_signals(const struct sigaction before[AAD_DEADLY])
{
	(void)before;
	caught--;
}

static ssize_t stage_send(int fd, const struct msghdr *all, int flags)
{
	const struct iovec *head = all->msg_iov, *text = all->msg_iov + 1;
	const uint8_t *type = head->iov_base;

	if (fd != 7 || flags != (MSG_NOSIGNAL | MSG_DONTWAIT) || all->msg_iovlen != 2 ||
	    head->iov_len != 3)
		wrong("sends in another way");
	if (question_now != ANSWERED)
		wrong("sends what nobody has asked for");
	question_now = NOT_ASKED;
	if (text->iov_len != (type[1] | (size_t)type[2] << 8))
		wrong("a length of another text");
	put_event((char)*type, text->iov_base, (uint32_t)text->iov_len);
	switch (play.hears) {
	case HAS_GONE:
		return fail_with(EPIPE);
	case HAS_DIED:
		return fail_with(ECONNRESET);
	case IS_FULL:
		return fail_with(EAGAIN);
	case HEARS_HALF:
		return 3;
	default:
		return (ssize_t)(3 + text->iov_len);
	}
}

/* The text of a worker's end belongs to another harness: crash.c. */
void aad_read_crash(int errors, struct aad_crash *crash)
{
	if (errors != 8)
		wrong("reads standard error from elsewhere");
	*crash = (struct aad_crash){ .error = "panic", .stack = "main.f main.go:1" };
}

#define aad_wait stage_wait
#define read stage_read
#define clock_gettime stage_clock
#define free stage_free
#define sendmsg stage_send
#include "../frame.c"
#include "../relay.c"
#define aad_question question_of_ask
#include "../ask.c"
#undef aad_question
#undef free
#undef sendmsg

/* So that the stage can tell a question from a prompt. */
int aad_question(pam_handle_t *h, int style, const char *text, struct aad_person *person,
    char **answer)
{
	int ret;

	question_now = ASKED;
	ret = question_of_ask(h, style, text, person, answer);
	question_now = ANSWERED;
	return ret;
}

#include "../line.c"

static void ended(char kind, int first, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	event(kind, first, format, args);
	va_end(args);
}

int main(void)
{
	static char handle;
	static struct aad_end end;
	const struct aad_request req = { .user = "a", .attempt = "id" };
	const struct aad_worker worker = { .frames = 7, .errors = 8 };

	while (fread(&play, sizeof play, 1, stdin) == 1) {
		at = 0;
		calls = prompts = 0;
		next = 0;
		question_now = NOT_ASKED;
		user_prompt = play.user_prompt ? "localhost login: " : NULL;
		clock_ms = 1000000;
		/* Exactly as long as needed: the sanitizer sees a read beyond the end. */
		if (!(bytes = malloc(play.length + !play.length)) ||
		    fread(bytes, 1, play.length, stdin) != play.length)
			return 1;
		if (!(answers = malloc(play.answers + !play.answers)) ||
		    fread(answers, 1, play.answers, stdin) != play.answers)
			return 1;
		memset(&end, 'x', sizeof end);	/* the end of another attempt must not matter */
		aad_relay((pam_handle_t *)&handle, &req, &worker, &end);
		if (caught)
			wrong("signals stay caught");
		if (!user_prompt != !play.user_prompt)
			wrong("what was lent is not taken back");
		if (end.sentence)
			ended('E', -1, "%s", end.sentence);
		if (*end.line)
			ended('L', end.priority, "%s", end.line);
		if (*end.last)
			ended('F', -1, "%s", end.last);
		ended('R', end.code, NULL);
		if (typed)
			wrong("what was typed is not freed");
		free(bytes);
		free(answers);
		fflush(stdout);
	}
	return 0;
}
