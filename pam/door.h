/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The contract between the door (C, in the host process) and the worker (Go, in a child of it): the
 * request that the worker starts with, and the frames that it writes. This header is the whole
 * contract; worker.go reads it through cgo.
 *
 *   sshd, sudo, su, login ── libpam ── pam_sm_*      door.c        entry points
 *                                    │ is it ours?     ours.c        names only: no network or fork
 *                                    │ shown here?     services.c    sign_in.services, or refused
 *                                    │ a picture?      screen.c      columns of the terminal
 *                                    │ the connection  connection.c  its age, and what it was told
 *                                    │ the attempt     attempt.c     its correlation id
 *                                    │ a session       session.c     a note of its origin, for sudo
 *                                    │ an open window  window.c      for sign_in.reuse_window
 *                                    │ fork            guard.c       unseen by the host
 *                                    │                  │ child.c    root, with nothing of the host
 *                                    │                  │ reset.c    … and at its own pace
 *                                    │                  │ threads.c  functions for threads
 *                                    │                  │ wake.c     starts Go, here only
 *                                    │◀── frames ──────▶┘ frame.c    reads and writes them
 *                                                         relay.c    conversation, log and result
 *                                                         ask.c      … a prompt, and its answer
 *                                                         wait.c     … Ctrl-C, a client that left
 *                                                         signals.c  … the end of the host
 *                                                         crash.c    … the end of a worker
 *                                                         line.c     a log line without a worker
 *
 * The worker sends, and the door relays. ENTER needs no message, because the door reads on only
 * after the conversation has returned. What the person types goes back to the worker as the answer
 * to AAD_ASK, and to nothing else: AAD_PROMPT alone, as for a device code, returns nothing that was
 * typed. A typed answer is in no log, and both ends wipe it.
 *
 * The C is in kernel style, as nss/ is; internal/cstyle_test.go has the rules.
 */
#ifndef AAD_DOOR_H
#define AAD_DOOR_H

#include <security/pam_modules.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

struct aad_end;

enum aad_phase { AAD_AUTHENTICATE = 1, AAD_ACCOUNT = 2 };

/*
 * The worker reads this in its own copy of the host's memory, made by fork. So there is no
 * serialisation, and nobody frees it. A string is NULL where PAM has no such item.
 */
struct aad_request {
	enum aad_phase phase;
	char attempt[37];	/* correlation id: a random GUID */
	const char *user, *service, *rhost;
	const char *config;	/* module argument config=, or NULL */
	int debug;		/* module argument debug */
	int known;		/* the host's getpwnam(3) finds this name */
	uint32_t uid;		/* if known: with this uid */
	uint32_t caller;	/* real uid of the host: in sudo and su, the user who runs it */
	uint16_t columns;	/* of a terminal that can show a picture; 0: there is none */
	uint32_t connected;	/* seconds since sshd has this connection; 0: unknown */
	const char *said;	/* the text shown at the end of the attempt before, or NULL */
	int holds_admins;	/* the host runs in the user's own session, in group aad_admins */
	/*
	 * accounts.cdb as it was when the module was loaded. In sshd that is right after the one
	 * getpwnam(3) that the session's ids come from. 0, 0: there was no file.
	 */
	uint64_t store_ino;
	int64_t store_mtime;
};

/*
 * A frame is its type (one byte), the length of its text (two bytes, little endian) and the text,
 * without a NUL. The worker ends every conversation with exactly one AAD_RESULT. Everything else is
 * a failure: end of file, a crash, an unknown type, a length beyond the limit, the deadline.
 *
 * The result has the attempt's line for the log. The door writes that line only if the attempt ends
 * with this result, and a line of its own otherwise. So there is exactly one line, and it never
 * says that somebody signed in who did not.
 */
enum aad_frame {
	AAD_PROMPT = 'P',	/* show it and wait for ENTER */
	AAD_AGAIN = 'A',	/* text of the next prompt if AAD_SILENCE has followed ENTER */
	AAD_ASK = 'Q',		/* first byte: 1 for echo, or 0; the rest: show it, and reply */
	AAD_ERROR = 'E',	/* show it */
	AAD_LAST = 'F',		/* last words of a refusal: show them, and wait for ENTER, after the
				 * line is in the log; at most AAD_LAST_MAX bytes */
	AAD_LOG = 'L',		/* first byte: syslog priority; the rest: a line for the log */
	AAD_DEADLINE = 'D',	/* four bytes, little endian: seconds until the door gives up */
	AAD_RESULT = 'R',	/* PAM return code, syslog priority, line for the log; the code
				 * alone if the name is not ours */
};

/* A user's limit may leave the host a stack of 64 KiB. */
enum { AAD_FRAME_MAX = 16384, AAD_LAST_MAX = 2048 };

/* The frames that the door writes: one for each AAD_ASK that somebody has answered. */
enum aad_reply {
	AAD_TYPED = 'T',	/* the typed text: any bytes but NUL */
	AAD_TOO_LONG = 'O',	/* empty: the text was longer than AAD_TYPED_MAX, or than the host
				 * accepts; the worker may ask again */
};
enum { AAD_TYPED_MAX = 8192 };

/* So many texts may be too long. The next one ends the attempt. */
enum { AAD_TOO_LONG_TIMES = 5 };

/* Milliseconds. A faster answer comes from a program, or from a person who has typed ahead. */
enum { AAD_AT_ONCE = 300 };

/*
 * Milliseconds. After ENTER and so much silence the person is asked again. It is less than clients
 * wait for a server.
 */
enum { AAD_SILENCE = 15000 };

/* Seconds until the worker must have read its configuration and sent AAD_DEADLINE. */
enum { AAD_FIRST_DEADLINE = 30 };

/*
 * ours.c: PAM_SUCCESS if this handle's user is ours, PAM_USER_UNKNOWN, or an error. Fills in user,
 * known and uid.
 */
int aad_check_user(pam_handle_t *, struct aad_request *);

/*
 * ours.c: the same for the calls that let nobody in: credentials and sessions. A name that was not
 * ours when this handle was asked last is not looked up again, since the host and this module would
 * read the same files once more for every local user.
 */
int aad_check_again(pam_handle_t *, struct aad_request *);

/* ours.c: computes holds_admins. sudo goes by the groups of the session, which never change. */
int aad_holds_admins(const struct aad_request *);

/* services.c: 1 if a code is shown in this service, or in this program whatever its service is. */
int aad_shows_code(const char *service);

/* services.c: the end of an attempt in a service where no code is shown. */
void aad_refuse_service(struct aad_end *, const struct aad_request *);

/* services.c, for the account phase: 1 if another module let this user in, who is none of ours. */
int aad_signed_in_elsewhere(const struct aad_request *, const char *service);

/* services.c: 1 if this program is OpenSSH's server. */
int aad_in_sshd(void);

/*
 * screen.c: computes columns from the host's locale and terminal. sshd has neither, and does not
 * know those of its client before the sign-in. There the administrator's setting counts
 * (sign_in.qr), and a terminal of the usual width.
 */
uint16_t aad_columns(void);
enum { AAD_COLUMNS = 80 };

/*
 * connection.c: aad_connected and aad_said compute connected and said. aad_note_connection is
 * called when the module is loaded, aad_keep_said for a text that the next attempt of this
 * connection shall show once more.
 */
void aad_note_connection(void);
uint32_t aad_connected(void);
const char *aad_said(void);
void aad_keep_said(const char *text);

/* attempt.c: gives the attempt its correlation id. */
void aad_new_attempt(struct aad_request *);

/* session.c: keeps the origin of this session, until it ends. rhost may be NULL. */
void aad_session_begins(const struct aad_request *, const char *rhost);
void aad_session_ends(const struct aad_request *, const char *rhost);

/* window.c: this attempt has let somebody in, so the window that its worker may have left opens. */
void aad_open_window(const struct aad_request *);

/* child.c */
struct aad_worker {
	pid_t pid;	/* the host's child: the guard or, without one, the worker itself */
	int frames;	/* a socket, since the door writes to it, too, and must get no SIGPIPE */
	int errors;	/* the worker's standard error, or -1 */
	void *guard;	/* the guard's memory, or NULL */
};
int aad_worker_start(const struct aad_request *, struct aad_worker *);	/* 0, or -1 with errno */
void aad_worker_end(struct aad_worker *);	/* kills it if need be, and always reaps it */

/* reset.c: in the worker, before Go starts: the usual scheduling, processors, memory and locale. */
void aad_reset_process(void);

/*
 * guard.c: the fork of child.c, and the end of the worker. All signals are blocked. The function
 * runs in the worker, and must not return. 0, or -1 with errno. frames and errors stay as they are.
 */
typedef void aad_worker_main(const void *arg, pid_t parent);
int aad_fork_worker(struct aad_worker *, aad_worker_main *, const void *arg);
void aad_kill_worker(struct aad_worker *);

/* threads.c: in the worker, before anything there has a thread. 0, or -1. */
int aad_find_threads(void);

/* wake.c: starts Go in this process: once, in the worker, not in the host. 0, or -1 with errno. */
int aad_wake_go(void);

/*
 * wait.c: poll(2) for reading. ECANCELED: a signal that would end the host is pending, or the
 * client has gone.
 */
int aad_wait(int fd, int client, int milliseconds);

/*
 * wait.c: returns the connection from rhost that the host has accepted. -1: there is none, or it
 * cannot be told from others.
 */
int aad_client(const char *rhost);

/*
 * signals.c: between the two calls, a host that a signal ends leaves a line in the log. before
 * holds what aad_catch_signals has replaced.
 */
enum { AAD_DEADLY = 5 };
extern const int aad_deadly[AAD_DEADLY];	/* the signals that people and timers send */
void aad_catch_signals(const struct aad_request *, struct sigaction before[AAD_DEADLY]);
void aad_restore_signals(const struct sigaction before[AAD_DEADLY]);

/* How an attempt ended. */
struct aad_end {
	int code;			/* PAM return code */
	int priority;
	char line[AAD_FRAME_MAX + 1];	/* for the log; empty: the name is not ours */
	const char *sentence;		/* for the person; NULL: the worker has said everything */
	char last[AAD_LAST_MAX + 1];	/* the worker's last words, or empty; a prompt, since ssh
					 * shows no message right before a failure */
};

/* frame.c: milliseconds, of a clock that nobody can set. */
int64_t aad_now(void);

/*
 * ask.c: a prompt. PAM_SUCCESS: a person has read it and pressed ENTER. PAM_MAXTRIES: a program has
 * answered twice, both times the same and no ENTER. Otherwise PAM_CONV_ERR.
 */
int aad_ask(pam_handle_t *, const char *text);

/* What is known of the one who has answered AAD_ASK so far in an attempt. */
struct aad_person {
	int present;	/* an answer took the time of a person, at least once */
	int failed;	/* the last conversation failed */
	int too_long;	/* how many texts were too long */
};

/*
 * ask.c: a question. PAM_SUCCESS: *typed has the answer, and the caller wipes it with aad_wipe.
 * PAM_BUF_ERR: the answer was too long. PAM_MAXTRIES and PAM_CONV_ERR: as for aad_ask; a program's
 * first answer is one that nobody can have typed in that time.
 */
int aad_question(pam_handle_t *, int style, const char *text, struct aad_person *, char **typed);
void aad_wipe(char **typed);

/*
 * crash.c: why and where a worker has died, by its standard error, without any value of its
 * variables. Empty: it did not say.
 */
struct aad_crash {
	char error[256], stack[1000];
};
void aad_read_crash(int errors, struct aad_crash *);

/* relay.c: PAM_SUCCESS only by an AAD_RESULT that says so, in time. */
void aad_relay(pam_handle_t *, const struct aad_request *, const struct aad_worker *,
    struct aad_end *);

/*
 * line.c: the end of an attempt whose worker could not report it. The line is "failed" with the
 * reason, the account and its origin, and the pairs: key, value, …, NULL. The sentence is that
 * something went wrong. There is none at LOG_NOTICE, when the person has left.
 */
void aad_failed(struct aad_end *, const struct aad_request *, int code, int priority,
    const char *reason, ...) __attribute__((sentinel));

/* line.c: the same with the line "denied", at LOG_NOTICE and without a sentence. */
void aad_denied(struct aad_end *, const struct aad_request *, int code, const char *reason);

#endif
