#define FROM_HEADER 7
int c_function(void);
