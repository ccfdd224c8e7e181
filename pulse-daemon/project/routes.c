/* SPDX-License-Identifier: MIT */
/* Cycles through outputs, sends and side chains. A depth-first walk with a stack of its own: routes may be as long as
   there are tracks. */
#include <stdio.h>
#include <string.h>

#include "pulse-daemon/project/read.h"

#define CYCLE_SIZE 400u /* bytes of a cycle's text; longer ones are cut in the middle of their names */

/* Sound goes from the track at whose list it stands to `to`. */
struct route {
    size_t to;
    const struct lh_json *reference; /* what says so */
};

struct step {
    size_t track;
    size_t next; /* the route to follow next */
};

struct walk {
    struct pulse_reading *reading;
    struct route *routes;
    size_t *first; /* of each track; one more at the end */
    struct step *stack;
    size_t depth;
    enum { UNSEEN = 0, OPEN, DONE } * state;
};

typedef void route_visitor(void *context, size_t from, size_t to, const struct lh_json *reference);

/* A node's and its stand-ins': whichever is used, the order of the tracks is the same. */
static void visit_side_chains(size_t track, const struct pulse_node *node, route_visitor *visit, void *context)
{
    if (node->sidechain_from != PULSE_NONE) {
        visit(context, node->sidechain_from, track, lh_json_member(lh_json_member(node->json, "sidechain"), "from"));
    }
    for (size_t i = 0; i < node->stand_in_count; i++) {
        visit_side_chains(track, &node->stand_ins[i], visit, context);
    }
}

static void visit_routes(const struct pulse_reading *reading, route_visitor *visit, void *context)
{
    const struct pulse_project *project = reading->project;
    for (size_t i = 0; i < project->track_count; i++) {
        const struct pulse_track *track = &project->tracks[i];
        if (track->output != PULSE_NONE) {
            const struct lh_json *output = lh_json_member(track->json, "output");
            visit(context, i, track->output, output != NULL ? output : track->json);
        }
        for (size_t k = 0; k < track->send_count; k++) {
            if (track->sends[k].to != PULSE_NONE) {
                visit(context, i, track->sends[k].to, lh_json_member(track->sends[k].json, "to"));
            }
        }
        for (size_t k = 0; k < track->node_count; k++) {
            visit_side_chains(i, &track->nodes[k], visit, context);
        }
    }
}

static void count_route(void *context, size_t from, size_t to, const struct lh_json *reference)
{
    struct walk *walk = context;
    (void)to;
    (void)reference;
    walk->first[from + 1]++;
}

/* first[from] moves from the start of a track's routes to their end while they are filled in. */
static void place_route(void *context, size_t from, size_t to, const struct lh_json *reference)
{
    struct walk *walk = context;
    walk->routes[walk->first[from]++] = (struct route){.to = to, .reference = reference};
}

static void append(char *text, const char *id)
{
    size_t used = strlen(text);
    snprintf(text + used, CYCLE_SIZE - used, "%s%.64s", used == 0 ? "" : " -> ", id);
}

static void report_cycle(struct walk *walk, const struct route *closing)
{
    const struct pulse_track *tracks = walk->reading->project->tracks;
    char text[CYCLE_SIZE] = "";
    size_t start = walk->depth - 1;
    while (walk->stack[start].track != closing->to) {
        start--;
    }
    for (size_t i = start; i < walk->depth; i++) {
        append(text, tracks[walk->stack[i].track].id);
    }
    append(text, tracks[closing->to].id);
    pulse_report_at(&walk->reading->report, closing->reference, "the sound goes round in a circle: %s", text);
}

static void walk_from(struct walk *walk, size_t start)
{
    walk->stack[0] = (struct step){.track = start, .next = walk->first[start]};
    walk->state[start] = OPEN;
    walk->depth = 1;
    while (walk->depth > 0) {
        struct step *step = &walk->stack[walk->depth - 1];
        if (step->next == walk->first[step->track + 1]) {
            walk->state[step->track] = DONE;
            walk->depth--;
            continue;
        }
        const struct route *route = &walk->routes[step->next++];
        if (walk->state[route->to] == OPEN) {
            report_cycle(walk, route);
        } else if (walk->state[route->to] == UNSEEN) {
            walk->state[route->to] = OPEN;
            walk->stack[walk->depth++] = (struct step){.track = route->to, .next = walk->first[route->to]};
        }
    }
}

void pulse_check_routes(struct pulse_reading *reading)
{
    size_t count = reading->project->track_count;
    struct walk walk = {
        .reading = reading,
        .first = pulse_read_array(reading, count + 2, sizeof *walk.first),
        .stack = pulse_read_array(reading, count, sizeof *walk.stack),
        .state = pulse_read_array(reading, count, sizeof *walk.state),
    };
    if (walk.first == NULL || walk.stack == NULL || walk.state == NULL) {
        return;
    }
    visit_routes(reading, count_route, &walk);
    for (size_t i = 1; i <= count; i++) {
        walk.first[i] += walk.first[i - 1];
    }
    walk.routes = pulse_read_array(reading, walk.first[count], sizeof *walk.routes);
    if (walk.routes == NULL) {
        return;
    }
    visit_routes(reading, place_route, &walk);
    for (size_t i = count; i > 0; i--) {
        walk.first[i] = walk.first[i - 1]; /* back from the ends to the starts */
    }
    walk.first[0] = 0;
    for (size_t i = 0; i < count; i++) {
        if (walk.state[i] == UNSEEN) {
            walk_from(&walk, i);
        }
    }
}
