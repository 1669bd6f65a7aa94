/*
 * sibling.pml - one job, its origin, a native sibling and FLURM.
 *
 * The design of src/core/fed_job without its details, among models of those
 * it talks to, for spin to search all that can happen. Compare with
 * testsuite/unit/fed_job_world_test.c, where the code itself is among such
 * models, but only what dice choose happens.
 *
 * All that can go wrong, in any order, but not more often than FAULTS times
 * in a run:
 *
 *	a connection between origin and plugin ends: what was under way is
 *	lost, processed or not
 *	the plugin crashes, and goes on with what was durable
 *	a request to FLURM's gateway or its answer gets lost (a crash of the
 *	gateway looks like both); a grant may still arrive, long after it was
 *	given up and said again
 *	an event of FLURM's comes twice
 *	FLURM's state is lost
 *
 * USERS is how often they cancel, hold or requeue, SUBS how many submissions
 * of the job that may lead to.
 *
 * Shown for all runs within the bounds:
 *
 * - at most one start for each submission, wherever (starts[])
 * - the origin is told "completed" only of a run that completed (completed[])
 * - no word of ours is taken for another's: START and COMPLETE come to an
 *   origin whose lock is ours, but for those that cross a submission
 * - JOB_SYNC lists what the origin believes to run here
 * - when nothing can happen any more, the origin has an end of the job or has
 *   it held, and nobody has a duty left
 *
 * Run by run-model, which also makes three mistakes (MUTANT) that have to be
 * found, each by the harm that it does: a model that allows nothing shows
 * nothing.
 */
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef USERS
#define USERS 0
#endif
#ifndef SUBS
#define SUBS 2
#endif
#ifndef MUTANT
#define MUTANT 0	/* a mistake that has to be found, to see that it is */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif

#define REFUSALS 2	/* of the lock, until the origin can't know the job */

/* a late submission makes an epoch more; with yet another a run is not
 * followed any further */
#define EPOCHS_MAX (SUBS + 1)
#define EPOCHS EPOCHS_MAX + 1		/* counted from 1 */
bool beyond;

mtype = {
	/* origin to plugin */
	Submit, Revoke, Cancel, CancelRequeue, List,
	/* plugin to origin */
	Sync, Lock, Unlock, SubmitResp, Start, Requeue, Complete,
	/* FLURM's events */
	StartRequest, Started, StartFailed, Ended, Lost,
	/* the origin's record */
	Pending, Held, Tracking, Self, Done,
	/* ours of an epoch, and FLURM's */
	None, Delivering, Queued, Locking, Denied, Granted, Running,
	Cancelling, Withdrawing, Over, Gone, Starting,
	/* ends */
	Completed, Failed, Cancelled, NodeFail, Revoked
}

byte faults = FAULTS, users = USERS;

/* what really happened */
byte starts[EPOCHS];			/* by submission */
bool completed[EPOCHS];			/* by epoch, at FLURM */

/* ---- the origin ---- */

#define US 3				/* the lock's holders: 1 origin, */
#define NATIVE 2			/* 2 native sibling, 3 FLURM */

mtype o_state = Done;
byte o_lock, o_run = 1, o_sub;
bool o_us;				/* we are among its siblings */
bool o_requeue;				/* waits for an end to submit again */
bool link;				/* both ways, as far as it knows */
bool gate = true;			/* our list is yet to come */

/* kind, submission or view, run, revoked there since a start */
chan to_us = [6] of { mtype, byte, byte, mtype };
/* kind, epoch, submission that we knew of then, end or what is listed */
chan to_origin = [6] of { mtype, byte, byte, mtype };
/* kind, epoch, granted */
chan answers = [6] of { mtype, byte, bool };

inline submit()
{
	o_sub++;
	o_lock = 0;
	o_state = Pending;
	o_requeue = false;
	o_us = true;
	to_us!Submit,o_sub,o_run,None
}

/* a revoke is not kept for who is not there */
inline revoke()
{
	if
	:: o_us && link -> to_us!Revoke,0,0,None
	:: else
	fi
}

inline lock(who, granted)
{
	granted = (o_lock == 0 || o_lock == who);
	if
	:: granted ->
		o_lock = who;
		lock_sub = (who == US -> o_sub : lock_sub)
	:: else
	fi
}

byte lock_sub;				/* submission that our lock is for */

/* said before we could know of this submission: a native sibling's word would
 * be taken for another's just so */
#define crossed (o_lock != US && knew < o_sub)

inline take(kind, e, knew, what)
{
	ok = true;
	if
	:: kind == Sync ->
		gate = false;
		if
		/* what it submitted since its own list can't be in ours */
		:: o_state == Done || o_requeue || o_sub > knew
		:: else ->
			if
			:: what == None ->
				/* it would take it for completed */
				assert(!(o_us && o_lock == US &&
					 o_state == Tracking));
				if
				:: o_us && o_lock == US ->
					o_state = Done
				:: else -> o_us = false
				fi
			:: what != None && o_lock != 0 && o_lock != US ->
				to_us!Revoke,0,0,None
			:: what != None && o_lock == 0 ->
				o_us = true;
				if
				:: what == Running ->
					o_lock = US; lock_sub = o_sub;
					o_state = Tracking
				:: else
				fi
			:: else
			fi
		fi
	:: kind == Lock -> lock(US, ok)
	:: kind == Unlock ->
		if
		:: o_lock == US -> o_lock = 0
		:: else
		fi
	:: kind == SubmitResp -> o_us = false
	:: kind == Start ->
		if
		:: o_state == Done || o_requeue
		:: else ->
			if
			:: crossed
			:: else ->
				assert(o_lock == US);
				o_state = Tracking;
				o_us = true
			fi
		fi
	:: kind == Requeue ->
		if
		:: o_state == Done || o_state == Self || o_requeue ||
		   o_lock == 0 || o_sub == SUBS || crossed
		:: else ->
			o_run++;
			if
			:: o_state == Tracking ->
				to_us!CancelRequeue,0,0,None
			:: else
			fi;
			o_state = Pending;
			o_requeue = true
		fi
	:: kind == Complete ->
		assert(what != Completed || completed[e]);
		if
		:: o_requeue -> submit()
		:: !o_requeue && o_state == Done
		:: !o_requeue && o_state != Done ->
			if
			:: crossed
			:: else ->
				assert(o_state != Self);
				assert(o_lock == US);
				o_state = Done
			fi
		fi
	fi
}

#define heard (len(to_us) < 5 && (!link || \
	(len(to_us) == 0 && len(to_origin) == 0 && len(answers) == 0)))

active proctype origin()
{
	mtype kind, what;
	byte e, knew;
	bool ok;

	atomic { submit() };
end:	do
	:: atomic { link && len(to_origin) > 0 && len(answers) < 6 &&
		    len(to_us) < 5 ->
		to_origin?kind,e,knew,what;
		take(kind, e, knew, what);
		answers!kind,e,ok
	   }
	/* its scheduler and the native's, once no list is missing */
	:: atomic { o_state == Pending && !o_requeue && o_lock == 0 &&
		    !(link && gate) && len(to_us) < 5 ->
		o_lock = 1;
		revoke();
		o_state = Self;
		o_us = false;
		starts[o_sub]++;
		assert(starts[o_sub] <= 1)
	   }
	:: atomic { o_state == Pending && !o_requeue && o_lock == 0 &&
		    len(to_us) < 5 ->
		o_lock = NATIVE;
		revoke();
		o_state = Tracking;
		o_us = false;
		starts[o_sub]++;
		assert(starts[o_sub] <= 1)
	   }
	:: atomic { o_state == Self || (o_state == Tracking &&
					o_lock == NATIVE) ->
		o_state = Done
	   }
	/* users, who are slower than a wire */
	:: atomic { users > 0 && heard && o_state == Pending && !o_requeue &&
		    len(to_us) < 5 ->
		users--;
		revoke();
		if
		:: o_state = Done
		:: o_state = Held
		fi
	   }
	:: atomic { o_state == Held && o_sub < SUBS && heard ->
		submit()
	   }
	:: atomic { users > 0 && heard && o_state == Tracking && o_lock == US &&
		    len(to_us) < 5 ->
		users--;
		if
		:: to_us!Cancel,0,0,None
		:: o_sub < SUBS ->
			o_requeue = true;
			o_state = Pending;
			o_run++;
			to_us!CancelRequeue,0,0,None
		fi
	   }
	:: atomic { users > 0 && heard && o_state == Done && o_sub < SUBS &&
		    len(to_us) < 5 ->
		users--;
		o_run++;
		submit()
	   }
	od
}

/* ---- FLURM ---- */

mtype f_state[EPOCHS] = None;
mtype f_end[EPOCHS] = None;
byte f_attempt[EPOCHS];

/* kind, epoch, attempt, end */
chan events = [6] of { mtype, byte, byte, mtype };

/* FLURM's part in one epoch */
proctype flurm(byte e)
{
end:	do
	:: atomic { f_state[e] == Queued && f_attempt[e] < ATTEMPTS &&
		    len(events) < 6 ->
		f_state[e] = Starting;
		f_attempt[e]++;
		events!StartRequest,e,f_attempt[e],None
	   }
	/* nobody has answered: others may have the resources for a while
	 * (where nothing is lost, that shows no more, and takes long) */
	:: atomic { FAULTS > 0 && f_state[e] == Starting &&
		    f_attempt[e] < ATTEMPTS ->
		f_state[e] = Queued
	   }
	:: atomic { f_state[e] == Running && len(events) < 6 ->
		f_state[e] = Over;
		if
		:: f_end[e] = Completed; completed[e] = true
		:: f_end[e] = Failed
		fi;
		events!Ended,e,0,f_end[e]
	   }
	od
}

/* a grant that is under way although nobody waits for an answer any more */
byte late, late_attempt;		/* its epoch, or 0 */

/* a grant of attempt a arrives, and is for this one */
inline take_grant(e, a)
{
	if
	:: f_state[e] = Running;
	   starts[lock_sub]++;
	   assert(starts[lock_sub] <= 1);
	   events!Started,e,0,None
	:: f_attempt[e] < ATTEMPTS ->
	   f_state[e] = Queued;
	   events!StartFailed,e,a,None
	fi
}

/* mutant 1: a grant is for whichever attempt it finds */
#define is_for(e, a) (f_state[e] == Starting && \
		      (f_attempt[e] == a || MUTANT == 1))

active proctype wire()
{
end:	do
	:: atomic { late != 0 && len(events) < 6 ->
		if
		:: is_for(late, late_attempt) -> take_grant(late, late_attempt)
		:: else
		fi;
		late = 0; late_attempt = 0
	   }
	od
}

active proctype flurm_forgets()
{
	byte i;

end:	do
	:: atomic { faults > 0 ->
		faults--;
		i = 1;
		do
		:: i <= EPOCHS_MAX -> f_state[i] = None; f_attempt[i] = 0; i++
		:: else -> break
		od;
		do
		:: len(events) > 0 -> events?_,_,_,_
		:: else -> break
		od;
		i = 0;
		late = 0; late_attempt = 0;
		events!Lost,0,0,None
	   }
	od
}

/* ---- the plugin ---- */

mtype state[EPOCHS] = None;
mtype result[EPOCHS] = None;
byte newest, known;			/* epoch; submission heard of */
byte list_sub;				/* the origin's list is of this time */
byte runs[EPOCHS], attempt[EPOCHS];

#define BIT(x) (1 << x)
/* durable facts and debts */
short facts[EPOCHS];
#define SENT BIT(0)
#define MAY_RUN BIT(1)
#define RAN BIT(2)
#define GRANT_ACKED BIT(3)
#define LOCKED BIT(4)			/* the lock may be ours */
#define REVOKED BIT(5)
#define START_TOLD BIT(6)
#define FIXED BIT(7)			/* how it ends is known already */
#define OVER_THERE BIT(8)		/* the origin's record is final */
#define OWE_UNLOCK BIT(9)
#define OWE_RESP BIT(10)
#define OWE_START BIT(11)
#define OWE_REQUEUE BIT(12)
#define OWE_COMPLETE BIT(13)
#define OWE (OWE_UNLOCK + OWE_RESP + OWE_START + OWE_REQUEUE + OWE_COMPLETE)

/* what a crash forgets; of the newest epoch only, the origin knows no others */
bool unsynced = true, owner, must_list, stale;
byte refusals;				/* of the lock, in a row */
byte flying;				/* to the origin */
#define F_LOCK BIT(0)
#define F_UNLOCK BIT(1)
#define F_RESP BIT(2)
#define F_START BIT(3)
#define F_REQUEUE BIT(4)
#define F_COMPLETE BIT(5)

#define is(e, bits) ((facts[e] & (bits)) != 0)
#define set(e, bits) facts[e] = facts[e] | (bits)
#define clear(e, bits) facts[e] = facts[e] & ~(bits)
#define flies(act) ((flying & act) != 0)
#define waits(e) (state[e] == Delivering || state[e] == Queued || \
		  state[e] == Locking || state[e] == Denied || \
		  state[e] == Granted)
#define at_flurm(e) (waits(e) || state[e] == Running || \
		     state[e] == Cancelling || state[e] == Withdrawing)

/*
 * What an event does is noted here and done once, at the end, in this order:
 * so each step is in the model once, as each is one function in the code.
 */
byte todo;
#define END BIT(0)		/* it counts as run, and ended as how says */
#define LOSE BIT(1)		/* and the origin is asked to requeue it */
#define WITHDRAW BIT(2)
#define OVER BIT(3)
#define LET_GO BIT(4)
#define FORGET_ORIGIN BIT(5)
#define UNLOCK_NEXT BIT(6)	/* the next run may have got its lock */
#define does(step) ((todo & (step)) != 0)

mtype how = None;

inline finish(e)
{
	/* an origin that believes it runs here would never let it run then */
	keep = is(e, START_TOLD) && !is(e, REVOKED) && waits(e);
	if
	:: does(FORGET_ORIGIN) ->
		owner = false;
		flying = 0;
		stale = false;
		clear(e, OWE + LOCKED);
		if
		:: does(UNLOCK_NEXT) -> set(e, OWE_UNLOCK)
		:: else
		fi
	:: else
	fi;
	if
	:: does(END) ->
		set(e, RAN + OWE_COMPLETE);
		result[e] = how;
		if
		:: !is(e, START_TOLD) -> set(e, OWE_START)
		:: else
		fi;
		if
		:: does(LOSE) -> set(e, OWE_REQUEUE)
		:: else
		fi
	:: else
	fi;
	if
	:: does(WITHDRAW) && (state[e] == Over || state[e] == Gone) ->
		todo = (is(e, OWE_COMPLETE) -> todo : todo | LET_GO)
	:: does(WITHDRAW) && state[e] != Over && state[e] != Gone &&
	   !is(e, SENT) ->
		todo = todo | OVER
	:: does(WITHDRAW) && state[e] != Over && state[e] != Gone &&
	   is(e, SENT) ->
		todo = (is(e, MAY_RUN) -> todo : todo | LET_GO);
		state[e] = Withdrawing
	:: else
	fi;
	if
	:: does(OVER) ->
		clear(e, SENT + MAY_RUN + GRANT_ACKED);
		todo = (is(e, OWE_COMPLETE) -> todo : todo | LET_GO);
		state[e] = Over
	:: else
	fi;
	if
	:: does(LET_GO) ->
		owner = false;
		if
		/* mutant 2: an old epoch gives back what the newest one has */
		:: (e == newest || MUTANT == 2) && !keep &&
		   (is(e, LOCKED + OWE_UNLOCK) || flies(F_LOCK)) ->
			clear(e, LOCKED);
			set(e, OWE_UNLOCK)
		:: else
		fi
	:: else
	fi;
	if
	:: state[e] == Over && !is(e, OWE) -> state[e] = Gone
	:: else
	fi;
	todo = 0;
	how = None;
	keep = false
}

/* it is to end, as it was cancelled */
inline cancel(e)
{
	if
	:: is(e, SENT) -> state[e] = Cancelling
	:: else -> todo = END + OVER; how = Cancelled
	fi
}

inline revoked(e)
{
	if
	:: state[e] == Gone || state[e] == Withdrawing ||
	   state[e] == Cancelling
	:: state[e] == Running && is(e, START_TOLD) && !unsynced ->
		state[e] = Cancelling
	:: state[e] == Over && is(e, START_TOLD)
	:: else ->
		set(e, REVOKED);
		clear(e, OWE - OWE_UNLOCK);
		todo = WITHDRAW
	fi
}

/* the origin tracks a run of this epoch */
inline runs_here(e, what)
{
	owner = true;
	set(e, LOCKED + START_TOLD);
	clear(e, OWE_START + OWE_UNLOCK);
	if
	:: state[e] == Withdrawing ->
		clear(e, REVOKED);
		state[e] = Cancelling
	:: state[e] == Over || state[e] == Gone ->
		clear(e, OWE_RESP);
		if
		:: is(e, OWE_COMPLETE)
		:: else ->
			result[e] = (is(e, RAN) -> result[e] : Cancelled);
			set(e, RAN + OWE_COMPLETE);
			state[e] = Over
		fi
	:: what == Requeue && waits(e) -> cancel(e)
	:: else
	fi
}

/* it ran, and the origin has not heard of it, or has forgotten */
inline tell_again(e)
{
	if
	:: is(e, RAN) && !is(e, REVOKED) &&
	   (state[e] == Running || state[e] == Cancelling ||
	    state[e] == Gone || is(e, OWE_COMPLETE)) ->
		if
		:: state[e] == Gone ->
			set(e, OWE_COMPLETE);
			state[e] = Over
		:: else
		fi;
		clear(e, START_TOLD);
		set(e, OWE_START)
	:: else
	fi
}

/* the origin's list */
inline viewed(e, what, r)
{
	unsynced = false;
	owner = false;
	must_list = true;
	if
	:: e == 0
	:: e != 0 && (what == Done || what == Self ||
		      (what != Requeue && r > runs[e])) ->
		if
		:: what == Done -> set(e, OVER_THERE)
		:: else
		fi;
		set(e, REVOKED);
		todo = FORGET_ORIGIN + WITHDRAW;
		if
		:: (what == Pending || what == Held) &&
		   (is(e, LOCKED + OWE_UNLOCK) || flies(F_LOCK)) ->
			todo = todo | UNLOCK_NEXT
		:: else
		fi
	:: e != 0 && (what == Requeue ||
		      (what == Tracking && r == runs[e])) ->
		runs_here(e, what)
	:: e != 0 && what == Held && r == runs[e] && !is(e, RAN) -> revoked(e)
	:: e != 0 && (what == Pending || what == Held) && r == runs[e] &&
	   !(what == Held && !is(e, RAN)) ->
		tell_again(e)
	:: else
	fi
}

/* our list has it as pending, but it is not: that has to be said later */
inline marked(e, what)
{
	if
	:: e != 0 && (what == Pending || what == Held) &&
	   !is(e, OWE_COMPLETE) &&
	   (state[e] == Withdrawing ||
	    (state[e] == Over && is(e, OWE_UNLOCK))) ->
		set(e, OWE_RESP)
	:: else
	fi
}

#define is_new(s, r) (newest == 0 || r > runs[newest] || \
	(!is(newest, OVER_THERE) && is(newest, REVOKED)) || \
	(!is(newest, OVER_THERE + RAN + MAY_RUN) && \
	 (state[newest] == Withdrawing || state[newest] == Over || \
	  state[newest] == Gone)))

inline cancelled(e, again)
{
	if
	:: e != 0 && (!again || is(e, MAY_RUN + START_TOLD)) &&
	   (waits(e) || state[e] == Running) ->
		cancel(e)
	:: else
	fi
}

inline started(e)
{
	if
	:: state[e] == Granted || state[e] == Cancelling ||
	   state[e] == Withdrawing ->
		set(e, RAN + MAY_RUN);
		state[e] = (state[e] == Granted -> Running : state[e]);
		if
		:: state[e] != Withdrawing && !is(e, START_TOLD) ->
			set(e, OWE_START)
		:: else
		fi
	:: else ->
		/* heard late; never of one that was not asked for (of which
		 * mutant 1 is to show what comes of it) */
		assert(!waits(e) || MUTANT == 1)
	fi
}

/* granted, but nothing of it ran, and FLURM has it in its queue */
inline back_in_queue(e)
{
	clear(e, MAY_RUN + GRANT_ACKED);
	if
	:: is(e, START_TOLD) ->
		todo = END + LOSE;
		how = NodeFail;
		set(e, FIXED);
		state[e] = Cancelling
	:: else ->
		todo = LET_GO;
		state[e] = Queued
	fi
}

/* it is not at FLURM any more; Revoked if nothing of it ran */
inline ended(e, what)
{
	if
	:: state[e] == Over || state[e] == Gone || state[e] == None
	:: state[e] == Withdrawing || (state[e] == Cancelling && is(e, FIXED)) ->
		todo = OVER
	:: state[e] == Cancelling && !is(e, FIXED) ->
		todo = END + OVER;
		how = (what == Revoked -> Cancelled : what)
	:: waits(e) && what == Revoked ->
		if
		:: is(e, START_TOLD) -> todo = END + LOSE + OVER; how = Failed
		:: else -> set(e, OWE_RESP); todo = OVER
		fi
	:: state[e] == Running && what == Revoked ->
		todo = END + LOSE + OVER;
		how = NodeFail
	:: else ->
		todo = END + OVER;
		how = what
	fi
}

/* FLURM does not know it */
inline unknown(e)
{
	if
	:: state[e] == Delivering -> clear(e, SENT)
	:: state[e] == Withdrawing || (state[e] == Cancelling && is(e, FIXED)) ->
		todo = OVER
	:: state[e] == Cancelling && !is(e, FIXED) ->
		todo = END + OVER;
		how = Cancelled
	:: (waits(e) || state[e] == Running) && is(e, MAY_RUN) ->
		todo = END + LOSE + OVER;
		how = NodeFail
	:: waits(e) && state[e] != Delivering && !is(e, MAY_RUN) ->
		todo = LET_GO;
		clear(e, SENT);
		attempt[e] = 0;
		state[e] = Delivering
	:: else
	fi
}

/* FLURM says that it has it and that it does not run */
inline waiting(e)
{
	if
	:: state[e] == Granted && f_state[e] == Queued -> back_in_queue(e)
	:: (state[e] == Granted || state[e] == Denied) &&
	   f_state[e] == Starting ->
		attempt[e] = f_attempt[e];
		clear(e, GRANT_ACKED);
		state[e] = (state[e] == Denied -> Locking : Granted)
	:: state[e] == Denied && f_state[e] == Queued -> state[e] = Queued
	:: state[e] == Cancelling || state[e] == Withdrawing ->
		clear(e, MAY_RUN)
	:: else
	fi
}

inline start_request(e, a)
{
	if
	:: a < attempt[e]	/* an answer has overtaken it */
	:: a >= attempt[e] && (state[e] == Delivering ||
			       state[e] == Queued || state[e] == Denied) ->
		set(e, SENT);
		attempt[e] = a;
		if
		/* ours still, perhaps: it is wanted now */
		:: is(e, OWE_UNLOCK) && !flies(F_UNLOCK) ->
			clear(e, OWE_UNLOCK);
			set(e, LOCKED)
		:: else
		fi;
		state[e] = Locking
	:: a >= attempt[e] && (state[e] == Locking || state[e] == Granted) ->
		attempt[e] = a;
		clear(e, GRANT_ACKED)
	:: a >= attempt[e] && !is(e, RAN) &&
	   (state[e] == Over || state[e] == Gone) ->
		set(e, SENT);
		state[e] = Withdrawing
	:: else
	fi
}

inline start_failed(e, a)
{
	if
	:: a < attempt[e]
	:: a >= attempt[e] && state[e] == Granted && is(e, MAY_RUN) ->
		back_in_queue(e)
	:: a >= attempt[e] && !is(e, RAN) &&
	   (state[e] == Cancelling || state[e] == Withdrawing) ->
		clear(e, MAY_RUN)
	:: else
	fi
}

/* of the lock that the newest epoch asked for, or one before it */
inline lock_answered(e, granted)
{
	flying = flying & ~F_LOCK;
	if
	:: e == 0 || (granted && flies(F_UNLOCK))
	:: e != 0 && granted && !flies(F_UNLOCK) && stale -> set(e, LOCKED)
	:: e != 0 && !granted ->
		owner = false;
		refusals = (refusals < REFUSALS -> refusals + 1 : refusals);
		if
		:: waits(e) && !is(e, MAY_RUN) && refusals < REFUSALS ->
			if
			:: state[e] == Locking || state[e] == Granted ->
				todo = LET_GO;
				state[e] = Denied
			:: else
			fi
		:: refusals == REFUSALS && state[e] == Over ->
			todo = FORGET_ORIGIN + WITHDRAW
		:: refusals == REFUSALS && at_flurm(e) &&
		   state[e] != Cancelling && state[e] != Withdrawing ->
			/* the origin can't know it */
			clear(e, OWE - OWE_UNLOCK);
			set(e, OWE_RESP);
			todo = WITHDRAW
		:: else
		fi
	:: e != 0 && granted && !flies(F_UNLOCK) && !stale ->
		refusals = 0;
		state[e] = (state[e] == Locking -> Granted : state[e]);
		set(e, LOCKED);
		if
		:: state[e] == Granted || state[e] == Running ||
		   state[e] == Cancelling || is(e, OWE_COMPLETE) ->
			owner = true;
			clear(e, OWE_UNLOCK)
		:: else ->
			todo = (is(e, MAY_RUN) -> 0 : LET_GO)
		fi
	fi;
	stale = false
}

inline acked(e, kind)
{
	if
	:: kind == Unlock && flies(F_UNLOCK) ->
		flying = flying & ~F_UNLOCK;
		clear(e, OWE_UNLOCK)
	:: kind == SubmitResp && flies(F_RESP) ->
		flying = flying & ~F_RESP;
		clear(e, OWE_RESP)
	:: kind == Start && flies(F_START) ->
		flying = flying & ~F_START;
		clear(e, OWE_START)
	:: kind == Requeue && flies(F_REQUEUE) ->
		flying = flying & ~F_REQUEUE;
		clear(e, OWE_REQUEUE)
	:: kind == Complete && flies(F_COMPLETE) ->
		flying = flying & ~F_COMPLETE;
		owner = false;
		clear(e, OWE_START + OWE_REQUEUE + OWE_COMPLETE + LOCKED)
	:: else
	fi
}

/* events: what, epoch, a number, an end or the like */
chan hear = [0] of { mtype, byte, byte, mtype };

/* fed_job_update(): takes an event, and all that follows, in one step */
active proctype update()
{
	mtype kind, what;
	byte e, a;
	bool keep;

end:	do
	:: atomic { hear?kind,e,a,what ->
		if
		:: kind == Revoke && e != 0 -> revoked(e)
		:: kind == Cancel -> cancelled(e, false)
		:: kind == CancelRequeue -> cancelled(e, true)
		:: kind == List -> viewed(e, what, a)
		:: kind == StartRequest -> start_request(e, a)
		:: kind == Started -> started(e)
		:: kind == StartFailed -> start_failed(e, a)
		:: kind == Ended -> ended(e, what)
		:: kind == Lost -> unknown(e)
		:: kind == Queued -> waiting(e)
		:: kind == Lock -> lock_answered(e, a == 1)
		:: kind == Done && e != 0 -> acked(e, what)
		:: kind == Submit && e != 0 ->
			/* a newer one takes the place of e */
			todo = FORGET_ORIGIN + WITHDRAW
		:: else
		fi;
		if
		:: e != 0 -> finish(e)
		:: else -> assert(todo == 0)
		fi;
		if
		:: kind == List -> marked(e, what)
		:: else
		fi;
		kind = Submit; what = None; e = 0; a = 0
	   }
	od
}

#define wants_lock(e) (state[e] == Locking || state[e] == Granted || \
	((state[e] == Running || state[e] == Cancelling || \
	  state[e] == Over) && is(e, OWE_START + OWE_REQUEUE + OWE_COMPLETE)))
#define may_say (link && !unsynced && !must_list && newest != 0 && \
	len(to_origin) < 6)
#define told_start (!is(newest, OWE_START) || flies(F_START))
#define told_requeue (!is(newest, OWE_REQUEUE) || flies(F_REQUEUE))

inline say(word, act, how)
{
	to_origin!word,newest,known,how;
	flying = flying | act
}

/* what was on its way may have arrived, or not */
inline lose_link()
{
	link = false;
	gate = true;
	must_list = false;
	do
	:: len(to_origin) > 0 -> to_origin?_,_,_,_
	:: else -> break
	od;
	do
	:: len(answers) > 0 -> answers?_,_,_
	:: else -> break
	od;
	if
	:: newest != 0 && flies(F_LOCK) -> set(newest, LOCKED)
	:: else
	fi;
	flying = 0;
	stale = false;
	unsynced = true;
	owner = false
}

/* the plugin, towards the origin */
active proctype plugin()
{
	mtype kind, what;
	byte a, r;
	bool held;

end:	do
	/* connect: the origin sends its list at once; a list of an earlier
	 * connection that comes still is told by its time */
	:: atomic { !link && len(to_us) < 6 ->
		link = true;
		if
		:: to_us??[List,_,_,_] -> to_us??List,_,_,_
		:: else
		fi;
		what = (o_requeue -> Requeue :
			((o_state == Tracking && o_lock != US) -> Self :
			 o_state));
		to_us!List,o_sub,o_run,what;
		what = None
	   }
	/* what it says: durable, then answered */
	:: atomic { link && len(to_us) > 0 && !must_list ->
		to_us?<kind,a,r,what>;
		if
		:: kind == Submit ->
			known = (a > known -> a : known);
			if
			:: is_new(a, r) && newest == EPOCHS_MAX ->
				beyond = true
			:: is_new(a, r) && newest < EPOCHS_MAX ->
				held = newest != 0 &&
				       (is(newest, LOCKED + OWE_UNLOCK) ||
					flies(F_LOCK));
				hear!Submit,newest,0,None;
				newest++;
				refusals = 0;
				state[newest] = Delivering;
				runs[newest] = r;
				/* the origin knows no epochs */
				facts[newest] = (held -> OWE_UNLOCK : 0);
				held = false
			:: else ->
				owner = false;
				/* the origin took the lock from whoever had
				 * it, perhaps after it had granted ours */
				stale = flies(F_LOCK)
			fi
		:: else ->
			list_sub = (kind == List -> a : list_sub);
			hear!kind,newest,r,what
		fi;
		if
		:: to_us?_,_,_,_
		/* before the answer: it will say it again */
		:: faults > 0 && kind != List -> faults--; lose_link()
		fi;
		kind = Submit; what = None; a = 0; r = 0
	   }
	/* our list answers the origin's, before anything else is said */
	:: atomic { link && must_list && len(to_origin) < 6 ->
		must_list = false;
		if
		/* mutant 3: what has ended is not listed any more */
		:: newest == 0 || state[newest] == Gone ||
		   (MUTANT == 3 && state[newest] == Over) ||
		   (state[newest] == Over && !is(newest, OWE)) -> what = None
		:: newest != 0 && state[newest] != Gone &&
		   !(MUTANT == 3 && state[newest] == Over) &&
		   ((state[newest] == Over && is(newest, OWE_COMPLETE) &&
		     is(newest, LOCKED) && !is(newest, OWE_UNLOCK)) ||
		    (state[newest] != Over && state[newest] != Withdrawing &&
		     is(newest, MAY_RUN))) ->
			what = Running;
			set(newest, START_TOLD)
		:: else -> what = Pending
		fi;
		to_origin!Sync,newest,list_sub,what;
		what = None
	   }
	:: atomic { len(answers) > 0 ->
		answers?kind,a,held;
		if
		:: kind == Lock -> hear!Lock,newest,(held -> 1 : 0),None
		:: kind != Lock && kind != Sync && a == newest ->
			hear!Done,newest,0,kind
		:: else
		fi;
		kind = Submit; a = 0; held = false
	   }
	/* what is to be said to it */
	:: atomic { may_say && is(newest, OWE_UNLOCK) &&
		    !is(newest, MAY_RUN) && !flies(F_UNLOCK) ->
		owner = false;
		say(Unlock, F_UNLOCK, None)
	   }
	:: atomic { may_say && is(newest, OWE_RESP) && !flies(F_RESP) ->
		say(SubmitResp, F_RESP, None)
	   }
	:: atomic { may_say && wants_lock(newest) &&
		    !is(newest, OWE_UNLOCK) &&
		    (!owner || state[newest] == Locking) &&
		    !flies(F_LOCK) ->
		say(Lock, F_LOCK, None)
	   }
	:: atomic { may_say && owner && !is(newest, OWE_UNLOCK) &&
		    is(newest, OWE_START) && !flies(F_START) ->
		set(newest, START_TOLD);
		say(Start, F_START, None)
	   }
	:: atomic { may_say && owner && !is(newest, OWE_UNLOCK) &&
		    state[newest] == Over && is(newest, OWE_REQUEUE) &&
		    told_start && !flies(F_REQUEUE) ->
		say(Requeue, F_REQUEUE, None)
	   }
	:: atomic { may_say && owner && !is(newest, OWE_UNLOCK) &&
		    state[newest] == Over && is(newest, OWE_COMPLETE) &&
		    told_start && told_requeue && !flies(F_COMPLETE) ->
		say(Complete, F_COMPLETE, result[newest])
	   }
	/* faults */
	:: atomic { faults > 0 && link -> faults--; lose_link() }
	:: atomic { faults > 0 ->
		faults--;
		lose_link();
		if
		:: newest != 0 ->
			if
			:: state[newest] == Delivering -> set(newest, SENT)
			:: state[newest] == Granted -> set(newest, MAY_RUN)
			:: else
			fi;
			if
			:: wants_lock(newest) -> set(newest, LOCKED)
			:: else
			fi;
			if
			:: is(newest, OWE_START) -> set(newest, START_TOLD)
			:: else
			fi
		:: else
		fi
	   }
	od
}

/* the plugin, towards FLURM: one epoch's requests */
#define is_ending(e) (is(e, MAY_RUN) && f_state[e] == Over && \
	len(events) > 0)

/* some requests that get no answer arrive */
inline ask()
{
	if
	:: arrived = true; ok = true
	:: faults > 0 -> faults--; arrived = true; ok = false
	:: faults > 0 -> faults--; arrived = false; ok = false
	fi
}

proctype carrier(byte e)
{
	bool ok, arrived;

end:	do
	:: atomic { state[e] == Delivering && (e < 2 || !at_flurm(e - 1)) &&
		    (e < 3 || !at_flurm(e - 2)) && (e < 4 || !at_flurm(e - 3)) ->
		ask();
		set(e, SENT);
		f_state[e] = (arrived && f_state[e] == None ->
			      Queued : f_state[e]);
		state[e] = (ok -> Queued : Delivering);
		ok = false; arrived = false
	   }
	:: atomic { state[e] == Granted && owner && !is(e, GRANT_ACKED) &&
		    len(events) < 6 ->
		ask();
		set(e, MAY_RUN);
		if
		:: !ok && !arrived && late == 0 ->
			late = e;
			late_attempt = attempt[e]
		:: true
		fi;
		if
		:: arrived && is_for(e, attempt[e]) -> take_grant(e, attempt[e])
		:: else ->
			arrived = (f_state[e] == Running || f_state[e] == Over)
		fi;
		if
		:: ok && arrived -> set(e, GRANT_ACKED)
		:: ok && !arrived && f_state[e] == None -> hear!Lost,e,0,None
		:: ok && !arrived && f_state[e] != None -> hear!Queued,e,0,None
		:: else
		fi;
		ok = false; arrived = false
	   }
	:: atomic { state[e] == Denied ->
		ask();
		if
		:: arrived && f_state[e] == Starting &&
		   f_attempt[e] == attempt[e] ->
			/* less one, so that it can ask again */
			f_attempt[e]--;
			f_state[e] = Queued
		:: else
		fi;
		if
		:: ok && f_state[e] == None -> hear!Lost,e,0,None
		:: ok && f_state[e] != None -> hear!Queued,e,0,None
		:: else
		fi;
		ok = false; arrived = false
	   }
	:: atomic { (state[e] == Withdrawing || state[e] == Cancelling) &&
		    !is_ending(e) && len(events) < 6 ->
		ask();
		if
		:: arrived && (f_state[e] == Queued ||
			       f_state[e] == Starting) ->
			f_state[e] = Over;
			f_end[e] = Revoked
		:: arrived && f_state[e] == Running && is(e, MAY_RUN) ->
			f_state[e] = Over;
			f_end[e] = Cancelled;
			events!Ended,e,0,Cancelled
		:: else
		fi;
		if
		:: ok && f_state[e] == None -> hear!Lost,e,0,None
		:: ok && f_state[e] == Running -> hear!Started,e,0,None
		:: ok && f_state[e] == Over -> hear!Ended,e,0,f_end[e]
		:: else
		fi;
		ok = false; arrived = false
	   }
	od
}

/* and what it says of itself */
active proctype listener()
{
	mtype kind, what;
	byte e, a;

end:	do
	:: atomic { len(events) > 0 ->
		events?kind,e,a,what;
		if
		:: kind == Lost ->
			do
			:: a < newest -> a++; hear!Lost,a,0,None
			:: else -> break
			od
		:: kind != Lost ->
			hear!kind,e,a,what;
			if
			:: true
			:: faults > 0 ->
				/* once more */
				faults--;
				hear!kind,e,a,what
			fi
		fi;
		kind = Submit; what = None; e = 0; a = 0
	   }
	od
}

init
{
	byte i = 1;

	atomic {
		do
		:: i <= EPOCHS_MAX -> run flurm(i); run carrier(i); i++
		:: else -> break
		od
	}
}

/* nothing can happen any more: everybody must be content */
active proctype end_of_all()
{
	byte i = 1;

	timeout ->
	atomic {
		if
		:: beyond
		:: else ->
			assert(o_state == Done ||
			       (o_state == Held && o_sub == SUBS));
			do
			:: i <= newest -> assert(state[i] == Gone); i++
			:: else -> break
			od
		fi
	}
}
