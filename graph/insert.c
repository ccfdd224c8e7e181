/* SPDX-License-Identifier: MIT */
/* The rules of plugins in a render graph, and the bytes of their events and of the musical time. */
#include "graph/insert.h"

#include <math.h>
#include <string.h>

#include "graph/deliverable.h"

#define NUMERATOR_MAX 255u
#define DENOMINATOR_MAX 64u

void graph_event_write(struct lh_writer *writer, const struct graph_event *event)
{
    lh_writer_i64(writer, event->frame);
    lh_writer_u32(writer, event->size);
    lh_writer_bytes(writer, event->bytes, sizeof event->bytes);
}

void graph_tempo_write(struct lh_writer *writer, const struct graph *graph)
{
    for (uint32_t i = 0; i < graph->tempo_count; i++) {
        const struct graph_tempo *tempo = &graph->tempo[i];
        lh_writer_i64(writer, tempo->frame);
        lh_writer_f64(writer, tempo->beats);
        lh_writer_f64(writer, tempo->bpm);
        lh_writer_i64(writer, tempo->bar);
        lh_writer_f64(writer, tempo->bar_beat);
        lh_writer_u32(writer, tempo->numerator);
        lh_writer_u32(writer, tempo->denominator);
    }
}

static enum lh_status check_plugins(const struct graph *graph, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->plugin_count; i++) {
        const struct graph_plugin *plugin = &graph->plugins[i];
        const char *fault = plugin->uri[0] == '\0' ? "a plugin has no URI" : graph_text_fault(plugin->uri);
        fault = fault != NULL ? fault : graph_text_fault(plugin->version);
        fault = fault != NULL ? fault : graph_text_fault(plugin->bundle);
        if (fault != NULL) {
            return graph_refuse(error, "plugins", i, fault);
        }
    }
    return LH_OK;
}

static enum lh_status check_parameters(const struct graph *graph, const struct graph_insert *insert,
                                       struct lh_error *error)
{
    for (uint32_t i = insert->parameter_first; i < insert->parameter_first + insert->parameter_count; i++) {
        const struct graph_parameter *parameter = &graph->parameters[i];
        const char *fault = graph_text_fault(parameter->symbol);
        if (fault == NULL && parameter->curve >= graph->curve_count) {
            fault = "a parameter's curve does not exist";
        }
        if (fault == NULL && i > insert->parameter_first &&
            strcmp(graph->parameters[i - 1].symbol, parameter->symbol) >= 0) {
            fault = "a plugin's parameters are not in order of their symbols";
        }
        if (fault != NULL) {
            return graph_refuse(error, "parameters", i, fault);
        }
    }
    return LH_OK;
}

static const char *event_fault(const struct graph_event *event)
{
    if (event->frame < 0 || event->frame >= GRAPH_FRAMES_MAX) {
        return "the event lies outside of time";
    }
    if (event->size < 1 || event->size > 3 || event->bytes[0] < 0x80 || event->bytes[0] > 0xEF) {
        return "the event is no channel message of MIDI";
    }
    for (uint32_t i = 1; i < sizeof event->bytes; i++) {
        if (event->bytes[i] > (i < event->size ? 0x7F : 0)) {
            return "the event's data bytes make no sense";
        }
    }
    return NULL;
}

static enum lh_status check_events(const struct graph *graph, const struct graph_insert *insert, struct lh_error *error)
{
    for (uint32_t i = insert->event_first; i < insert->event_first + insert->event_count; i++) {
        const char *fault = event_fault(&graph->events[i]);
        if (fault == NULL && i > insert->event_first && graph->events[i].frame < graph->events[i - 1].frame) {
            fault = "a plugin's events are not in order of time";
        }
        if (fault != NULL) {
            return graph_refuse(error, "events", i, fault);
        }
    }
    return LH_OK;
}

static const char *texts_fault(const struct graph_insert *insert)
{
    const char *fault = graph_text_fault(insert->preset);
    fault = fault != NULL ? fault : graph_text_fault(insert->preset_bundle);
    fault = fault != NULL ? fault : graph_text_fault(insert->folder);
    fault = fault != NULL ? fault : graph_text_fault(insert->identity);
    if (fault == NULL && strnlen(insert->state, (size_t)GRAPH_STATE_MAX + 1) > GRAPH_STATE_MAX) {
        fault = "a plugin's state is larger than 16 MiB";
    }
    return fault != NULL ? fault : graph_utf8_fault(insert->state);
}

enum lh_status graph_check_inserts(const struct graph *graph, struct lh_error *error)
{
    enum lh_status status = check_plugins(graph, error);
    uint32_t parameters = 0;
    uint32_t events = 0;
    for (uint32_t i = 0; status == LH_OK && i < graph->insert_count; i++) {
        const struct graph_insert *insert = &graph->inserts[i];
        const char *fault = insert->plugin >= graph->plugin_count ? "the insert's plugin does not exist" : NULL;
        if (fault == NULL &&
            (insert->parameter_first != parameters || insert->parameter_count > graph->parameter_count - parameters ||
             insert->event_first != events || insert->event_count > graph->event_count - events)) {
            fault = "the insert's entries are not ranges that follow the last one's";
        }
        fault = fault != NULL ? fault : texts_fault(insert);
        if (fault != NULL) {
            return graph_refuse(error, "inserts", i, fault);
        }
        parameters += insert->parameter_count;
        events += insert->event_count;
        status = check_parameters(graph, insert, error);
        status = status != LH_OK ? status : check_events(graph, insert, error);
    }
    if (status == LH_OK && (parameters != graph->parameter_count || events != graph->event_count)) {
        status = graph_refuse(error, "inserts", graph->insert_count, "parameters or events that belong to no insert");
    }
    return status;
}

static const char *tempo_fault(const struct graph_tempo *tempo)
{
    if (tempo->frame < 0 || tempo->frame >= GRAPH_FRAMES_MAX) {
        return "the entry lies outside of time";
    }
    if (!(tempo->bpm > 0) || !isfinite(tempo->bpm) || !(tempo->beats >= 0) || !isfinite(tempo->beats)) {
        return "a tempo is a positive number of beats a minute";
    }
    uint32_t denominator = tempo->denominator;
    if (tempo->numerator < 1 || tempo->numerator > NUMERATOR_MAX || denominator < 1 || denominator > DENOMINATOR_MAX ||
        (denominator & (denominator - 1)) != 0) {
        return "the time signature is none";
    }
    if (tempo->bar < 0 || tempo->bar >= GRAPH_FRAMES_MAX || !(tempo->bar_beat >= 0) ||
        !(tempo->bar_beat <= tempo->numerator)) {
        return "the place in the bar is none";
    }
    return NULL;
}

enum lh_status graph_check_tempo(const struct graph *graph, struct lh_error *error)
{
    for (uint32_t i = 0; i < graph->tempo_count; i++) {
        const char *fault = tempo_fault(&graph->tempo[i]);
        if (fault == NULL &&
            (i == 0 ? graph->tempo[i].frame != 0 : graph->tempo[i].frame <= graph->tempo[i - 1].frame)) {
            fault = "the entries do not ascend from frame 0";
        }
        if (fault != NULL) {
            return graph_refuse(error, "tempo", i, fault);
        }
    }
    return LH_OK;
}
