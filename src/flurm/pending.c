/*
 * pending.c - stands in for client.c, loop.c and token.c until they are here;
 * whoever adds those removes this file. It reaches nothing and says so.
 */
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>
#include <time.h>
#include <sys/eventfd.h>
#include "src/flurm/client.h"
#include "src/flurm/token.h"
struct flurm_loop { int fd; };
flurm_loop_t *flurm_loop_create(fed_err_t *e){ flurm_loop_t *l=malloc(sizeof *l); l->fd=eventfd(0,EFD_NONBLOCK|EFD_CLOEXEC); return l; }
void flurm_loop_destroy(flurm_loop_t *l){ if(l){close(l->fd); free(l);} }
int flurm_loop_turn(flurm_loop_t *l,int ms,fed_err_t *e){ struct pollfd p={.fd=l->fd,.events=POLLIN}; poll(&p,1,ms); unsigned long long x; (void)!read(l->fd,&x,8); return 0; }
void flurm_loop_wakeup(flurm_loop_t *l){ unsigned long long x=1; (void)!write(l->fd,&x,8); }
int64_t flurm_loop_now(const flurm_loop_t *l){ struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return t.tv_sec*1000LL+t.tv_nsec/1000000; }
flurm_client_t *flurm_client_create(flurm_loop_t *l,const flurm_client_conf_t *c,fed_err_t *e){ return malloc(1);} 
void flurm_client_destroy(flurm_client_t *c){ free(c);} 
uint64_t flurm_client_health(flurm_client_t *c,unsigned d,flurm_health_done_t f,void *a){return 0;}
uint64_t flurm_client_stats(flurm_client_t *c,unsigned d,flurm_stats_done_t f,void *a){return 0;}
void flurm_client_get_stats(const flurm_client_t *c, flurm_client_stats_t *s){memset(s,0,sizeof *s);} 
flurm_token_t *flurm_token_create(const flurm_token_conf_t *c,fed_err_t *e){return malloc(1);} 
void flurm_token_destroy(flurm_token_t *t){free(t);} 
int flurm_token_verify(flurm_token_t *t,const char *s,time_t n,fed_err_t *e){fed_err_set(e,0,"tokens are not checked yet"); return 401;}
