/* The type Runtime: an engine of a library, its life, and what is told to it beside events. */

#include "binding.h"

static const char *text_of(PyObject *config, const char *name, PyObject **held)
{
    *held = PyObject_GetAttrString(config, name);
    if (*held != NULL && !PyUnicode_Check(*held)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", name, Py_TYPE(*held)->tp_name);
        return NULL;
    }
    return *held == NULL ? NULL : PyUnicode_AsUTF8(*held);
}

static bool number_of(const module_state_t *state, PyObject *config, const char *name, uint64_t max, uint64_t *out)
{
    PyObject *value = PyObject_GetAttrString(config, name);
    bool taken = value != NULL && take_within(state, name, value, max, out);
    Py_XDECREF(value);
    return taken;
}

static bool truth_of(PyObject *config, const char *name, uint8_t *out)
{
    PyObject *value = PyObject_GetAttrString(config, name);
    int truth = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    *out = truth > 0;
    return truth >= 0;
}

static bool fill_config(const module_state_t *state, PyObject *config, of_engine_config_t *out, PyObject **held)
{
    uint64_t log_level, files;
    out->config_path = "";
    if ((out->instance_id = text_of(config, "instance_id", &held[0])) == NULL ||
        (out->audit_redact_tokens_csv = text_of(config, "audit_redact_tokens_csv", &held[1])) == NULL ||
        !number_of(state, config, "log_level", UINT32_MAX, &log_level) ||
        !truth_of(config, "enable_persistence", &out->enable_persistence) ||
        !number_of(state, config, "audit_max_bytes", UINT64_MAX, &out->audit_max_bytes) ||
        !number_of(state, config, "audit_max_files", UINT32_MAX, &files) ||
        !number_of(state, config, "data_retention_max_bytes", UINT64_MAX, &out->data_retention_max_bytes) ||
        !number_of(state, config, "data_retention_max_age_secs", UINT64_MAX, &out->data_retention_max_age_secs)) {
        return false;
    }
    out->log_level = (uint32_t)log_level;
    out->audit_max_files = (uint32_t)files;
    return true;
}

static bool fill_options(const module_state_t *state, PyObject *config, ofx_engine_options_t *out, PyObject **held)
{
    uint64_t threshold, lots, module;
    out->struct_bytes = sizeof *out;
    if ((out->data_root = text_of(config, "data_root", &held[2])) == NULL ||
        (out->audit_path = text_of(config, "audit_path", &held[3])) == NULL ||
        !number_of(state, config, "signal_module_number", 1, &module) ||
        !number_of(state, config, "signal_threshold", INT64_MAX, &threshold) ||
        !number_of(state, config, "momentum_fast_trades", UINT32_MAX, &out->momentum_fast_trades) ||
        !number_of(state, config, "momentum_slow_trades", UINT32_MAX, &out->momentum_slow_trades) ||
        !number_of(state, config, "momentum_threshold_bps", UINT32_MAX, &out->momentum_threshold_bps) ||
        !number_of(state, config, "trades_kept_max", UINT32_MAX, &out->trades_kept_max) ||
        !number_of(state, config, "candle_ns", INT64_MAX, &out->candle_ns) ||
        !number_of(state, config, "candles_kept_max", UINT32_MAX, &out->candles_kept_max) ||
        !number_of(state, config, "vpin_bucket_lots", INT64_MAX, &lots) ||
        !number_of(state, config, "vpin_buckets", UINT32_MAX, &out->vpin_buckets) ||
        !number_of(state, config, "absorption_trades", UINT32_MAX, &out->absorption_trades)) {
        return false;
    }
    out->signal_module = (uint32_t)module;
    out->signal_threshold = (int64_t)threshold;
    out->vpin_bucket_lots = (int64_t)lots;
    return true;
}

static int runtime_init(runtime_t *runtime, PyObject *arguments, PyObject *names)
{
    static char *parameter_names[] = {"path", "config", NULL};
    const char *path;
    PyObject *config, *held[4] = {NULL};
    of_engine_config_t abi = {0};
    ofx_engine_options_t options = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "sO", parameter_names, &path, &config)) {
        return -1;
    }
    if (runtime->library.handle != NULL) {
        PyErr_SetString(runtime->state->state_error, "this engine is made already: make another");
        return -1;
    }
    bool made = false;
    if (library_load(&runtime->library, runtime->state, path) && fill_config(runtime->state, config, &abi, held) &&
        fill_options(runtime->state, config, &options, held)) {
        const library_t *library = &runtime->library;
        int32_t code = library->own ? library->ofx_engine_create(&abi, &options, &runtime->engine)
                                    : library->of_engine_create(&abi, &runtime->engine);
        made = code == OF_OK;
        if (!made) {
            runtime->engine = NULL;
            set_failure(runtime, code, "of_engine_create", "");
        }
    }
    for (size_t at = 0; at < sizeof held / sizeof *held; at++) {
        Py_XDECREF(held[at]);
    }
    return made ? 0 : -1;
}

static PyObject *runtime_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    (void)arguments, (void)names;
    runtime_t *runtime = (runtime_t *)type->tp_alloc(type, 0);
    if (runtime != NULL) {
        runtime->state = state_of_type(type);
        if (runtime->state == NULL) {
            Py_CLEAR(runtime);
        }
    }
    return (PyObject *)runtime;
}

static int runtime_traverse(runtime_t *runtime, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(runtime));
    for (int at = 0; at < CACHED_SYMBOLS; at++) {
        Py_VISIT(runtime->symbols[at].object);
    }
    for (subscriber_t *one = runtime->subscribers; one != NULL; one = one->next) {
        Py_VISIT(one->callback);
    }
    for (subscriber_t *one = runtime->doomed; one != NULL; one = one->next) {
        Py_VISIT(one->callback);
    }
    return 0;
}

static int runtime_clear(runtime_t *runtime)
{
    for (int at = 0; at < CACHED_SYMBOLS; at++) {
        Py_CLEAR(runtime->symbols[at].object);
    }
    for (subscriber_t *one = runtime->subscribers; one != NULL; one = one->next) {
        one->gone = true;
        Py_CLEAR(one->callback);
    }
    return 0;
}

static void runtime_dealloc(runtime_t *runtime)
{
    PyTypeObject *type = Py_TYPE(runtime);
    PyObject_GC_UnTrack(runtime);
    runtime_shut(runtime); /* no call is under way: each holds the object */
    subscribers_free(&runtime->doomed);
    runtime_clear(runtime);
    library_unload(&runtime->library);
    type->tp_free(runtime);
    Py_DECREF(type);
}

typedef int32_t (*engine_call_t)(of_engine_t *engine);

static PyObject *simple_call(runtime_t *runtime, engine_call_t function, const char *name)
{
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    return call_end(runtime, &call, function(runtime->engine), name) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *start(runtime_t *runtime, PyObject *unused)
{
    (void)unused;
    return simple_call(runtime, runtime->library.of_engine_start, "of_engine_start");
}

/* After close there is nothing to stop, which is no error. */
static PyObject *stop(runtime_t *runtime, PyObject *unused)
{
    (void)unused;
    if (runtime->engine == NULL) {
        Py_RETURN_NONE;
    }
    return simple_call(runtime, runtime->library.of_engine_stop, "of_engine_stop");
}

static PyObject *close_engine(runtime_t *runtime, PyObject *unused)
{
    (void)unused;
    runtime_shut(runtime);
    Py_RETURN_NONE;
}

static PyObject *health_tick(runtime_t *runtime, PyObject *unused)
{
    (void)unused;
    return simple_call(runtime, runtime->library.of_external_health_tick, "of_external_health_tick");
}

static PyObject *poll(runtime_t *runtime, PyObject *flags)
{
    uint64_t taken;
    call_t call;
    if (!take_within(runtime->state, "quality_flags", flags, UINT32_MAX, &taken) || !call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = runtime->library.of_engine_poll_once(runtime->engine, (uint32_t)taken);
    return call_end(runtime, &call, code, "of_engine_poll_once") ? Py_NewRef(Py_None) : NULL;
}

static PyObject *set_reconnecting(runtime_t *runtime, PyObject *value)
{
    call_t call;
    int truth = PyObject_IsTrue(value);
    if (truth < 0 || !call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = runtime->library.of_external_set_reconnecting(runtime->engine, (uint8_t)truth);
    return call_end(runtime, &call, code, "of_external_set_reconnecting") ? Py_NewRef(Py_None) : NULL;
}

static PyObject *reset(runtime_t *runtime, PyObject *symbol)
{
    instrument_name_t name;
    call_t call;
    if (!call_begin(runtime, &call)) {
        return NULL;
    }
    int32_t code = OF_OK;
    if (take_symbol(runtime, symbol, &name)) {
        code = runtime->library.of_reset_symbol_session(runtime->engine, &name.names);
        drop_symbol(&name);
    } else {
        call_caught(&call);
    }
    return call_end(runtime, &call, code, "of_reset_symbol_session") ? Py_NewRef(Py_None) : NULL;
}

static bool fill_policy(const module_state_t *state, PyObject *policy, ofx_feed_policy_t *out)
{
    uint8_t event_time;
    out->struct_bytes = sizeof *out;
    if (!number_of(state, policy, "stale_after_ms", UINT64_MAX, &out->stale_after_ms) ||
        !truth_of(policy, "enforce_sequence", &out->enforce_sequence) ||
        !truth_of(policy, "one_numbering", &out->one_numbering) ||
        !truth_of(policy, "drop_duplicates", &out->drop_duplicates) ||
        !truth_of(policy, "reset_after_reconnect", &out->reset_after_reconnect) ||
        !truth_of(policy, "event_time", &event_time) ||
        !number_of(state, policy, "clock_skew_max_ms", UINT64_MAX, &out->clock_skew_max_ms) ||
        !truth_of(policy, "flag_truncated_depth", &out->flag_truncated_depth) ||
        !truth_of(policy, "limit_depth", &out->limit_depth)) {
        return false;
    }
    out->clock = event_time ? OFX_CLOCK_EVENT : OFX_CLOCK_WALL;
    return true;
}

static PyObject *configure(runtime_t *runtime, PyObject *policy)
{
    ofx_feed_policy_t full = {0};
    call_t call;
    if (!fill_policy(runtime->state, policy, &full) || !call_begin(runtime, &call)) {
        return NULL;
    }
    of_external_feed_policy_t shared = {full.stale_after_ms, full.enforce_sequence};
    int32_t code = runtime->library.own ? runtime->library.ofx_configure_feed(runtime->engine, &full)
                                        : runtime->library.of_configure_external_feed(runtime->engine, &shared);
    return call_end(runtime, &call, code, "of_configure_external_feed") ? Py_NewRef(Py_None) : NULL;
}

static PyObject *get_api_version(runtime_t *runtime, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(runtime->library.of_api_version());
}

static PyObject *get_build_info(runtime_t *runtime, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(runtime->library.of_build_info());
}

static PyObject *get_own(runtime_t *runtime, void *unused)
{
    (void)unused;
    return PyBool_FromLong(runtime->library.own);
}

static PyObject *get_closed(runtime_t *runtime, void *unused)
{
    (void)unused;
    return PyBool_FromLong(runtime->engine == NULL);
}

static PyGetSetDef getters[] = {
    {"api_version", (getter)get_api_version, NULL, PyDoc_STR("The library's ABI version."), NULL},
    {"build_info", (getter)get_build_info, NULL, PyDoc_STR("What the library says of its build."), NULL},
    {"_own_library", (getter)get_own, NULL, NULL, NULL},
    {"_closed", (getter)get_closed, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"start", (PyCFunction)start, METH_NOARGS, PyDoc_STR("start($self)\n--\n\nStart; again does nothing.")},
    {"stop", (PyCFunction)stop, METH_NOARGS,
     PyDoc_STR("stop($self)\n--\n\nStop: what came in stays to be read. Again does nothing.")},
    {"_close", (PyCFunction)close_engine, METH_NOARGS, NULL},
    {"_poll", (PyCFunction)poll, METH_O, NULL},
    {"reset_symbol_session", (PyCFunction)reset, METH_O,
     PyDoc_STR("reset_symbol_session($self, symbol)\n--\n\nBegin the symbol's session anew: volumes, profile, signal.\n"
               "The book and the remembered sequences stay.")},
    {"configure_external_feed", (PyCFunction)configure, METH_O,
     PyDoc_STR("configure_external_feed($self, policy)\n--\n\nSet how the feed is supervised.")},
    {"set_external_reconnecting", (PyCFunction)set_reconnecting, METH_O,
     PyDoc_STR("set_external_reconnecting($self, reconnecting)\n--\n\nSay that the feed reconnects, or is back.")},
    {"external_health_tick", (PyCFunction)health_tick, METH_NOARGS,
     PyDoc_STR("external_health_tick($self)\n--\n\nSee whether the feed has become stale, without an event.")},
    {NULL, NULL, 0, NULL},
};

#define GROUPS 5
static PyMethodDef *const GROUP[GROUPS] = {methods, subscribe_methods, ingest_methods, batch_methods, snapshot_methods};
static PyMethodDef all_methods[64];

static PyType_Slot slots[] = {
    {Py_tp_doc, PyDoc_STR("An engine of the library at `path`; ledgerx.orderflow.Engine is what programs use.")},
    {Py_tp_new, runtime_new},
    {Py_tp_init, runtime_init},
    {Py_tp_dealloc, runtime_dealloc},
    {Py_tp_traverse, runtime_traverse},
    {Py_tp_clear, runtime_clear},
    {Py_tp_methods, all_methods},
    {Py_tp_getset, getters},
    {0, NULL},
};

PyType_Spec runtime_spec = {
    .name = "ledgerx.orderflow._runtime.Runtime",
    .basicsize = sizeof(runtime_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* One table of the methods that several files hold: the same whenever it is made. */
void runtime_gather_methods(void)
{
    size_t count = 0;
    for (size_t group = 0; group < GROUPS; group++) {
        for (const PyMethodDef *one = GROUP[group]; one->ml_name != NULL; one++) {
            all_methods[count++] = *one;
        }
    }
}
