/* The module ledgerx.clob._clob: the types Book and Fills. */

#include "binding.h"

static int module_exec(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    PyObject *types = PyImport_ImportModule("ledgerx.clob._types");
    if (types == NULL) {
        return -1;
    }
    state->fill_type = (PyTypeObject *)PyObject_GetAttrString(types, "Fill");
    state->level_type = (PyTypeObject *)PyObject_GetAttrString(types, "Level");
    state->order_type = (PyTypeObject *)PyObject_GetAttrString(types, "Order");
    Py_DECREF(types);
    if (state->fill_type == NULL || state->level_type == NULL || state->order_type == NULL || !init_errors(state)) {
        return -1;
    }
    state->fills_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &fills_spec, NULL);
    if (state->fills_type != NULL && fills_ready(state)) {
        state->no_fills = new_fills(state, NULL, NULL, 0);
    }
    state->book_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &book_spec, NULL);
    if (state->no_fills == NULL || state->book_type == NULL || PyModule_AddType(module, state->fills_type) < 0) {
        return -1;
    }
    return PyModule_AddType(module, state->book_type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    binding_state *state = PyModule_GetState(module);
    Py_VISIT(state->book_type);
    Py_VISIT(state->fills_type);
    Py_VISIT(state->no_fills);
    if (state->no_fills != NULL && Py_REFCNT(state->no_fills) == 1) {
        Py_VISIT(state->fills_type); /* for no_fills, which is no container: else its type kept the module for good */
    }
    Py_VISIT(state->fill_type);
    Py_VISIT(state->level_type);
    Py_VISIT(state->order_type);
    Py_VISIT(state->invalid_state);
    Py_VISIT(state->event_index);
    for (int i = 0; i <= CLOB_BROKEN; i++) {
        Py_VISIT(state->errors[i]);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    Py_CLEAR(state->no_fills);
    drop_free_fills(state);
    Py_CLEAR(state->book_type);
    Py_CLEAR(state->fills_type);
    Py_CLEAR(state->fill_type);
    Py_CLEAR(state->level_type);
    Py_CLEAR(state->order_type);
    Py_CLEAR(state->invalid_state);
    Py_CLEAR(state->event_index);
    for (int i = 0; i <= CLOB_BROKEN; i++) {
        Py_CLEAR(state->errors[i]);
    }
    return 0;
}

static void module_free(void *module) { (void)module_clear(module); }

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_clob",
    .m_doc = "The order book of ledgerx.clob, in C.",
    .m_size = sizeof(binding_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

/* A subclass made in Python has another module, or none: the state is that of the base which this one made. */
binding_state *book_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

PyMODINIT_FUNC PyInit__clob(void) { return PyModuleDef_Init(&module_definition); }
