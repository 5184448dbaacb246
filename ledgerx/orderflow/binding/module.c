/* The module: what it looks up once, and the type it offers. */

#include "binding.h"

static struct PyModuleDef definition;
void runtime_gather_methods(void); /* runtime.c */

module_state_t *state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static PyObject *look_up(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *found = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return found;
}

static int module_exec(PyObject *module)
{
    module_state_t *state = PyModule_GetState(module);
    runtime_gather_methods();
    if (!make_words(state) || (state->error = look_up("ledgerx.errors", "OrderflowError")) == NULL ||
        (state->state_error = look_up("ledgerx.errors", "OrderflowStateError")) == NULL ||
        (state->arg_error = look_up("ledgerx.errors", "OrderflowArgError")) == NULL ||
        (state->symbol_type = (PyTypeObject *)look_up("ledgerx.orderflow.types", "Symbol")) == NULL ||
        (state->loads = look_up("json", "loads")) == NULL) {
        return -1;
    }
    state->runtime_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &runtime_spec, NULL);
    return state->runtime_type == NULL ? -1 : PyModule_AddType(module, state->runtime_type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state_t *state = PyModule_GetState(module);
    Py_VISIT(state->runtime_type);
    Py_VISIT(state->error);
    Py_VISIT(state->state_error);
    Py_VISIT(state->arg_error);
    Py_VISIT(state->symbol_type);
    Py_VISIT(state->loads);
    return 0;
}

static int module_clear(PyObject *module)
{
    module_state_t *state = PyModule_GetState(module);
    Py_CLEAR(state->runtime_type);
    Py_CLEAR(state->error);
    Py_CLEAR(state->state_error);
    Py_CLEAR(state->arg_error);
    Py_CLEAR(state->symbol_type);
    Py_CLEAR(state->loads);
    for (int at = 0; at < KEYS; at++) {
        Py_CLEAR(state->keys[at]);
    }
    for (int at = 0; at < WORDS; at++) {
        Py_CLEAR(state->words[at]);
    }
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ledgerx.orderflow._runtime",
    .m_doc = PyDoc_STR("The binding of an order-flow runtime's library."),
    .m_size = sizeof(module_state_t),
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__runtime(void)
{
    return PyModuleDef_Init(&definition);
}
