// Calls a function that is defined nowhere.
int nowhere(int x);

kernel void missing(global int *x) { x[get_global_id(0)] = nowhere(x[0]); }
