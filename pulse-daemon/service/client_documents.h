/* SPDX-License-Identifier: MIT */
/* Documents that clients bring, checked and made ready to be kept. Internal to the clients' part. */
#ifndef PULSE_SERVICE_CLIENT_DOCUMENTS_H
#define PULSE_SERVICE_CLIENT_DOCUMENTS_H

#include "common/base/faults.h"
#include "pulse-daemon/project/model.h"
#include "pulse-daemon/service/clients_parts.h"

/* In the question's arena. */
struct pulse_document {
    const char *name;
    const char *text; /* canonical */
    size_t size;
    const struct pulse_manifest_file *files;
    size_t file_count;
};

/* Parses and checks it; false: the question was refused with every fault. */
bool pulse_document_read(struct pulse_question *question, const ProtobufCBinaryData *text,
                         Wire__ManifestEntry *const *manifest, size_t count, struct pulse_document *document);
/* The same of a project that is sound. */
bool pulse_document_keep(struct pulse_question *question, const struct pulse_project *project,
                         Wire__ManifestEntry *const *manifest, size_t count, struct pulse_document *document);
/* Every fault in an Error INVALID: ends the question. */
void pulse_question_refuse_faults(struct pulse_question *question, const struct lh_faults *faults);
/* Of text and files. False: memory is out. */
bool pulse_document_digest(const struct pulse_document *document, struct lh_digest *digest);
/* Revision: ends the question. */
void pulse_revision_answer(struct pulse_question *question, uint64_t project, uint64_t number,
                           const struct pulse_document *document);

#endif
