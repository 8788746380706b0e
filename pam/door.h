/* SPDX-FileCopyrightText: The aad-login authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the door (C, in the host process) and the worker (Go, in a child of it) agree on: the request the worker is born
 * with, and the frames it writes. This header is the whole contract; worker.go reads it through cgo.
 *
 *   sshd, sudo, su, login ── libpam ── pam_sm_*            door.c    entry points
 *                                        │ is it ours?     claim.c   names only, no network, no fork
 *                                        │ shown here?     services.c  sign_in.services; elsewhere it ends here
 *                                        │ a picture?      screen.c  how wide, if there is a terminal for it
 *                                        │ and before?     connection.c  how long sshd has this connection, and what it was told
 *                                        │ session begins  session.c notes where it came from, for the worker behind sudo
 *                                        │ fork            guard.c   where the host does not see it
 *                                        │                   │       child.c   one root process with nothing of the host's
 *                                        │                   │       reset.c   … nor at the host's pace
 *                                        │                   │ wake  wake.c    the Go runtime starts here, never above
 *                                        │◀── frames ───────▶┘       relay.c   frames → conversation, log, result
 *                                                                    ask.c     … is anybody there, and what do they type?
 *                                                                    wait.c    … and Ctrl-C
 *                                                                    gone.c    … and the end of the host
 *                                                                    line.c    what is logged when no worker can
 *
 * The worker speaks, the door relays; ENTER needs no message, because the door reads on only after the conversation came back. What the
 * person types goes back to the worker as the answer to AAD_ASK, and to nothing else: who is asked by AAD_PROMPT alone, as where a device
 * code is shown, types for nobody. What does go back is in no log, and both ends wipe it.
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
 * The worker reads this in its own copy of the host's memory, made by fork: no serialisation, and nobody frees it. A
 * string is NULL where PAM has no such item.
 */
struct aad_request {
	enum aad_phase phase;
	char attempt[37];	/* correlation id: a random GUID */
	const char *user, *service, *rhost;
	const char *config;	/* module argument config=, or NULL */
	int debug;		/* module argument debug */
	int known;		/* does the host's getpwnam(3) answer this name? */
	uint32_t uid;		/* if known: with this uid */
	uint32_t caller;	/* real uid of the host: in sudo and su, who runs it */
	uint16_t columns;	/* of a terminal that can show a picture; 0: there is none */
	uint32_t connected;	/* seconds for which sshd has this connection; 0: unknown, or another program */
	const char *said;	/* what the person was told when the attempt before this one ended, or NULL */
	int holds_admins;	/* the host runs for this user's own session, which has the group aad_admins */
	uint64_t store_ino;	/* accounts.cdb as it was when the module was loaded, which in sshd is */
	int64_t store_mtime;	/* right after the one getpwnam(3) the session's ids come from; 0, 0: no file */
};

/*
 * A frame is its type (one byte), the length of its text (two bytes, little endian) and the text, without a NUL. The
 * worker ends every conversation with exactly one AAD_RESULT. Whatever else happens (end of file, a crash, an unknown type,
 * a length beyond the limit, the deadline) is a failure.
 *
 * The result brings the attempt's line for the log, and the door writes it only if that is how the attempt ends; otherwise
 * it writes one of its own. So there is exactly one, and it does not say that somebody signed in who did not.
 */
enum aad_frame {
	AAD_PROMPT = 'P',	/* show it and wait for ENTER */
	AAD_AGAIN = 'A',	/* what the next prompt becomes when AAD_SILENCE has followed ENTER */
	AAD_ASK = 'Q',		/* first byte: 1, or 0 for no echo; the rest: show it, and send one aad_reply */
	AAD_ERROR = 'E',	/* show it */
	AAD_LAST = 'F',		/* a refusal's last words: show it and wait for ENTER, when the line is in the log. At most AAD_LAST_MAX. */
	AAD_LOG = 'L',		/* first byte: syslog priority, the rest: one line for authpriv, of something else */
	AAD_DEADLINE = 'D',	/* four bytes, little endian: seconds from now until the door gives up */
	AAD_RESULT = 'R',	/* PAM return code, syslog priority, the line; the code alone if the name is not ours */
};
enum { AAD_FRAME_MAX = 16384, AAD_LAST_MAX = 2048 };	/* a user's limit may leave the host a stack of 64 KiB */

/* The frames that the door writes: one for each AAD_ASK that somebody has answered. */
enum aad_reply {
	AAD_TYPED = 'T',	/* what was typed: any bytes but NUL */
	AAD_TOO_LONG = 'O',	/* empty: more than AAD_TYPED_MAX, or than the host takes. The worker may ask again. */
};
enum { AAD_TYPED_MAX = 8192 };

/* The attempt ends at the next one. */
enum { AAD_TOO_LONG_TIMES = 5 };

/* A prompt that is answered sooner is answered by a program, or by somebody who has typed ahead: milliseconds. */
enum { AAD_AT_ONCE = 300 };

/* So long, in milliseconds, nothing happens after ENTER before the person is asked again. Less than clients wait for a server. */
enum { AAD_SILENCE = 15000 };

/* Until the worker has read its configuration and sent AAD_DEADLINE, it gets this many seconds. */
enum { AAD_FIRST_DEADLINE = 30 };

/* claim.c: is this handle's user ours? Fills in user, known and uid. PAM_SUCCESS, PAM_USER_UNKNOWN or an error. */
int aad_claim_user(pam_handle_t *, struct aad_request *);

/* claim.c: what holds_admins says. sudo goes by the groups of the session, which it keeps for as long as it lives. */
int aad_holds_admins(const struct aad_request *);

/*
 * services.c: is a code shown in this service, or in this program, whatever the service is called? And how an attempt ends where
 * none is. aad_in_sshd: is this program OpenSSH's server?
 */
int aad_shows_code(const char *service);
void aad_refuse_unseen(struct aad_end *, const struct aad_request *);
int aad_is_anothers(const struct aad_request *, const char *service);	/* for the account phase */
int aad_in_sshd(void);

/*
 * screen.c: what columns says, by the host's locale and terminal. sshd has neither, and does not know its client's before the
 * sign-in: there the administrator's word stands (sign_in.qr), and a terminal of the usual width.
 */
uint16_t aad_columns(void);
enum { AAD_COLUMNS = 80 };

/*
 * connection.c: what connected and said say. aad_note_connection is for when the module is loaded; aad_keep_said for what the next
 * attempt of this connection shall say once more.
 */
void aad_note_connection(void);
uint32_t aad_connected(void);
const char *aad_said(void);
void aad_keep_said(const char *text);

/* session.c: where this session came from, while it lasts. rhost may be NULL. */
void aad_session_begins(const struct aad_request *, const char *rhost);
void aad_session_ends(const struct aad_request *, const char *rhost);

/* session.c: this attempt has let somebody in, and so opens the window that its worker may have left. */
void aad_window_opens(const struct aad_request *);

/* child.c */
struct aad_worker {
	pid_t pid;	/* the host's child: the guard or, without one, the worker itself */
	int frames;	/* a socket: the door writes to it, too, and no signal tells a host that its worker has gone */
	int words;	/* what it says on standard error, or -1 */
	void *room;	/* the guard's memory, or NULL */
};
int aad_worker_start(const struct aad_request *, struct aad_worker *);	/* 0, or -1 with errno */
void aad_worker_end(struct aad_worker *);	/* killed if need be, always reaped */

/* reset.c: in the worker, before Go starts: scheduling, processors, memory, language as any process has them. */
void aad_reset_process(void);

/* guard.c: fork for child.c, with all signals blocked, and its end. The child lives its life, which must not return. */
typedef void aad_life(const void *with, pid_t parent);
int aad_birth(struct aad_worker *, aad_life *, const void *with);	/* 0, or -1 with errno; frames is left alone */
void aad_death(struct aad_worker *);

/* threads.c: in the worker, before anything there has a thread. 0, or -1. */
int aad_find_threads(void);

/* wake.c: starts the Go runtime of this module in the calling process. Once, in the worker, never in the host. 0, or -1 with errno. */
int aad_wake_go(void);

/* wait.c: poll(2) for reading. ECANCELED: a signal came by which the host would end, or the client has gone. */
int aad_wait(int fd, int client, int milliseconds);
int aad_client(const char *rhost);	/* the connection from there that the host has accepted; -1: none, or not to be told from others */

/* gone.c: between the two, a host that a signal ends leaves a line in the log. before is what aad_catch found. */
enum { AAD_DEADLY = 5 };
extern const int aad_deadly[AAD_DEADLY];	/* the signals by which somebody, or its time, ends a host */
void aad_catch(const struct aad_request *, struct sigaction before[AAD_DEADLY]);
void aad_release(const struct sigaction before[AAD_DEADLY]);

/* How an attempt ended. */
struct aad_end {
	int code;		/* PAM return code */
	int priority;
	char line[AAD_FRAME_MAX + 1];	/* for authpriv; empty: the name is not ours, so nothing is written */
	const char *sentence;	/* for the person, from the door itself; NULL: the worker has said what there is to say */
	char last[AAD_LAST_MAX + 1];	/* the worker's last words, as a prompt, since ssh shows no message right before a failure; or empty */
};

int64_t aad_now(void);	/* milliseconds, of a clock nobody can set */

/*
 * ask.c: a prompt. PAM_SUCCESS: somebody has read it and pressed ENTER; PAM_MAXTRIES: a program has answered by itself, and twice
 * the same way, with something that is no ENTER; else PAM_CONV_ERR.
 */
int aad_ask(pam_handle_t *, const char *text);

/* Who has answered AAD_ASK so far in an attempt. */
struct aad_person {
	int there;	/* has taken a person's time, at least once */
	int failed;	/* had a conversation that failed, the last time */
	int too_long;	/* times */
};

/*
 * ask.c: a question. PAM_SUCCESS: *typed has the answer, which the caller wipes by aad_wipe; PAM_BUF_ERR: it was too long; PAM_MAXTRIES and
 * PAM_CONV_ERR as above, a program's first answer being one that nobody can have typed in that time.
 */
int aad_question(pam_handle_t *, int style, const char *text, struct aad_person *, char **typed);
void aad_wipe(char **typed);

/* crash.c: why and where a worker has died, by its standard error. Empty: it did not say. No value of its variables is in it. */
struct aad_crash { char error[256], stack[1000]; };
void aad_read_crash(int words, struct aad_crash *);

/* relay.c: PAM_SUCCESS only by an AAD_RESULT that says so, in time. */
void aad_relay(pam_handle_t *, const struct aad_request *, const struct aad_worker *, struct aad_end *);

/*
 * line.c: an end that the worker could not speak of. The line is "failed" with the reason, who and where, and the pairs: key,
 * value, …, NULL. The sentence is that something went wrong, or none at LOG_NOTICE, when the person has left.
 */
void aad_failed(struct aad_end *, const struct aad_request *, int code, int priority, const char *reason, ...)
    __attribute__((sentinel));
void aad_denied(struct aad_end *, const struct aad_request *, int code, const char *reason);	/* "denied", at LOG_NOTICE */
void aad_new_attempt(struct aad_request *);

#endif
